"""What is presented to the check: genuine people in easy and hard conditions, and instruments of attack.

Each species films one challenge at a time: of the challenge it gives the frames that would reach the server.
An attack is given every advantage that its kind allows: whoever replays has a recording of every movement
and plays the right one at the right moment; what none of them has is a face before the screen that asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np

from haechi.types import F32, F64, U8
from haechi.verify.challenges import Challenge
from haechi.verify.flash_code import FlashCode
from haechi_lab.stand.camera import Camera
from haechi_lab.stand.head import head
from haechi_lab.stand.motion import Moment, moments
from haechi_lab.stand.render import Pose
from haechi_lab.stand.scene import Scene, scene

_GREY = 0.36
"""What the screen shows when it asks for a movement: a plain page."""
_SKEW_PX = 28.0


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """frames u8 (h, w, 3) each, and their times in seconds since the first."""

    frames: list[U8]
    times_s: F64


Filming = Callable[[Challenge, np.random.Generator, "Actor"], Film]


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """Who or what sits before the camera for one session."""

    scene: Scene
    camera: Camera
    sway: float = 1.0


@dataclass(frozen=True, slots=True)
class Species:
    """kind: genuine, presentation or injection · method: of an injection, how it gets in · level: of
    laboratories · first: the challenge at which an attack is likeliest to be found out, which is filmed
    first."""

    name: str
    kind: str
    actor: Callable[[np.random.Generator], Actor]
    film: Filming
    method: str = ""
    level: str = ""
    first: str = "flash"


def _screen(challenge: Challenge, times_s: F64, lag_s: float) -> F64:
    if challenge.code is None:
        return np.full((len(times_s), 3), _GREY)
    return challenge.code.light(times_s - lag_s)


def _raw(
    challenge: Challenge, rng: np.random.Generator, actor: Actor, screen: F64, times_s: F64
) -> list[F32]:
    people = moments(challenge.kind, times_s, rng, actor.sway)
    film = actor.scene.film_still if challenge.kind == "flash" else actor.scene.film
    return film(people, screen)


def person(challenge: Challenge, rng: np.random.Generator, actor: Actor) -> Film:
    """Does what is asked, before the screen that asks."""
    times_s = actor.camera.times_s(challenge.duration_s, rng)
    light = _raw(challenge, rng, actor, _screen(challenge, times_s, actor.camera.lag_s), times_s)
    return Film(actor.camera.film(light, times_s, rng), times_s)


def wrong_code(challenge: Challenge, rng: np.random.Generator, actor: Actor) -> Film:
    """A recording of the right movements, and for the flash of another session's colours, fed in as a
    camera."""
    times_s = actor.camera.times_s(challenge.duration_s, rng)
    other = replace(challenge, code=FlashCode.drawn()) if challenge.code else challenge
    light = _raw(other, rng, actor, _screen(other, times_s, actor.camera.lag_s), times_s)
    return Film(actor.camera.film(light, times_s, rng), times_s)


def recorded(challenge: Challenge, rng: np.random.Generator, actor: Actor) -> Film:
    """A recording of a whole session with another order of the movements, and other colours."""
    if challenge.kind == "flash":
        return wrong_code(challenge, rng, actor)
    others = [k for k in ("turn_left", "turn_right", "nod", "closer", "mouth") if k != challenge.kind]
    return person(replace(challenge, kind=str(rng.choice(others))), rng, actor)  # type: ignore[arg-type]


def tinted(challenge: Challenge, rng: np.random.Generator, actor: Actor) -> Film:
    """A drawn face that does what is asked, the whole picture tinted with the colours as they are shown."""
    times_s = actor.camera.times_s(challenge.duration_s, rng)
    light = _raw(challenge, rng, actor, np.full((len(times_s), 3), _GREY), times_s)
    colours = _screen(challenge, times_s, actor.camera.lag_s)
    strength = rng.uniform(0.1, 0.35)
    tint = 1 + strength * (colours / max(float(colours.mean()), 1e-6) - 1)
    light = [picture * t.astype(np.float32) for picture, t in zip(light, tint, strict=True)]
    return Film(actor.camera.film(light, times_s, rng), times_s)


def loop(challenge: Challenge, rng: np.random.Generator, actor: Actor) -> Film:
    """A second of somebody who looks into the camera, again and again."""
    times_s = actor.camera.times_s(challenge.duration_s, rng)
    count = max(8, round(actor.camera.fps * rng.uniform(1.0, 2.0)))
    still = replace(challenge, kind="flash")
    light = _raw(still, rng, actor, np.full((count, 3), _GREY), times_s[:count])
    frames = actor.camera.film(light, times_s[:count], rng)
    return Film([frames[i % count] for i in range(len(times_s))], times_s)


def _photograph(rng: np.random.Generator, actor: Actor) -> F32:
    """Linear light f32 (h, w, 3) of a portrait with its wall, as a page of it is made."""
    pose = [Moment(Pose(yaw=float(rng.normal(0, 2)), pitch=float(rng.normal(2, 1))))]
    return actor.scene.film(pose, np.full((1, 3), _GREY))[0]


def warped(challenge: Challenge, rng: np.random.Generator, actor: Actor) -> Film:
    """A photograph that a program warps as a turned, nodding or approaching plane would look, and whose
    mouth it darkens when that is asked."""
    times_s = actor.camera.times_s(challenge.duration_s, rng)
    photo = _photograph(rng, actor)
    light = []
    for moment in moments(challenge.kind, times_s, rng, actor.sway):
        picture = photo
        if moment.mouth > 0:
            picture = photo.copy()
            scale = actor.scene.view.focal / actor.scene.view.distance
            at = (actor.scene.view.width // 2, round(actor.scene.view.height * 0.44 + 1.05 * scale))
            axes = (round(0.25 * scale), max(1, round(0.25 * scale * moment.mouth)))
            cv2.ellipse(picture, at, axes, 0, 0, 360, (0.01, 0.008, 0.008), -1)
        light.append(_plane(picture, moment.pose, actor.scene))
    return Film(actor.camera.film(light, times_s, rng), times_s)


def _plane(picture: F32, pose: Pose, where: Scene, size: float = 1.0) -> F32:
    """A picture seen as a plane in the pose of a head, f32 (h, w, 3); as large as it is for ``size`` 1."""
    view = where.view
    h, w = picture.shape[:2]
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    flat = (corners - [w / 2, h * 0.44]) / view.focal * view.distance * size
    room = np.concatenate([flat, np.zeros((4, 1))], 1) @ pose.turn.T + [pose.x, pose.y, pose.z]
    view_xy = room[:, :2] / (view.distance - room[:, 2:]) * view.focal + [w / 2, h * 0.44]
    matrix = cv2.getPerspectiveTransform(corners, view_xy.astype(np.float32))
    out = cv2.warpPerspective(picture, matrix, (w, h), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32)


def printed(challenge: Challenge, rng: np.random.Generator, actor: Actor) -> Film:
    """A sheet of paper in somebody's hand, which moves it as is asked; lit by the room and by the screen."""
    return _sheet(challenge, rng, actor, bend=0.0)


def bent_print(challenge: Challenge, rng: np.random.Generator, actor: Actor) -> Film:
    """The same, bent like a face."""
    return _sheet(challenge, rng, actor, bend=float(rng.uniform(0.15, 0.45)))


def _sheet(challenge: Challenge, rng: np.random.Generator, actor: Actor, bend: float) -> Film:
    times_s = actor.camera.times_s(challenge.duration_s, rng)
    photo = _photograph(rng, actor)
    albedo = np.clip(photo / np.quantile(photo, 0.98), 0.02, 0.9).astype(np.float32)
    colours = _screen(challenge, times_s, actor.camera.lag_s)
    light = []
    lamp = actor.scene.light
    for moment, screen in zip(moments(challenge.kind, times_s, rng, 1.5 * actor.sway), colours, strict=True):
        level = lamp.ambient * 0.75 + lamp.window * 0.5 + lamp.screen * screen
        sheet = albedo * level.astype(np.float32)
        view_xy = (
            _cylinder(sheet, moment.pose, actor.scene, bend)
            if bend
            else _plane(sheet, moment.pose, actor.scene)
        )
        light.append(view_xy)
    return Film(actor.camera.film(light, times_s, rng), times_s)


def _cylinder(picture: F32, pose: Pose, where: Scene, bend: float) -> F32:
    """A sheet bent about an upright axis: at x it lies ``bend`` x squared behind the middle, lengths in
    distances between the eyes. By a mesh of thin upright strips."""
    view = where.view
    h, w = picture.shape[:2]
    line_x, line_y = np.linspace(0, w, 41), np.linspace(0, h, 3)
    xs, ys = np.meshgrid(line_x, line_y)
    x, y = ((v - c) / view.focal * view.distance for v, c in ((xs, w / 2), (ys, h * 0.44)))
    points = np.stack([x / np.sqrt(1 + (bend * x) ** 2), y, -bend * np.minimum(x**2, 4.0)], -1)
    room = points @ pose.turn.T + [pose.x, pose.y, pose.z]
    view_xy = room[..., :2] / (view.distance - room[..., 2:]) * view.focal + [w / 2, h * 0.44]
    out = picture.copy() * 0 + picture.mean((0, 1))
    for i in np.argsort(room[1, :-1, 2]):  # the nearest last
        part = np.array([[line_x[i], 0], [line_x[i + 1], 0], [line_x[i + 1], h], [line_x[i], h]], np.float32)
        goal = np.array([view_xy[0, i], view_xy[0, i + 1], view_xy[2, i + 1], view_xy[2, i]], np.float32)
        matrix = cv2.getPerspectiveTransform(part, goal)
        strip = cv2.warpPerspective(
            picture, matrix, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        mask = np.zeros((h, w), np.uint8)
        cv2.fillConvexPoly(mask, goal.round().astype(np.int32), 1)
        out[mask > 0] = strip[mask > 0]
    return np.asarray(out, np.float32)


def replayed(challenge: Challenge, rng: np.random.Generator, actor: Actor) -> Film:
    """A tablet before the camera that plays the right movement; its glass answers to the screen a little, the
    person on it does not."""
    times_s = actor.camera.times_s(challenge.duration_s, rng)
    light = _raw(challenge, rng, actor, np.full((len(times_s), 3), _GREY), times_s)
    played = actor.camera.film(light, times_s, rng)
    colours = _screen(challenge, times_s, actor.camera.lag_s)
    lamp = actor.scene.light
    glass, brightness = float(rng.uniform(0.005, 0.03)), 0.9
    pose = Pose(yaw=float(rng.normal(0, 3)), pitch=float(rng.normal(0, 3)), z=float(rng.uniform(-0.3, 0.3)))
    out = []
    for frame, screen in zip(played, colours, strict=True):
        emitted = brightness * (frame.astype(np.float32) / 255) ** 2.2
        answer = (glass * (lamp.ambient + lamp.screen * screen)).astype(np.float32)
        out.append(_plane(emitted + answer, pose, actor.scene))
    return Film(actor.camera.film(out, times_s, rng), times_s)


def _usual(rng: np.random.Generator) -> Actor:
    return Actor(scene(rng), Camera(lag_s=float(rng.uniform(0.05, 0.25))))


def _dark(rng: np.random.Generator) -> Actor:
    noisy = Camera(read_noise=0.012, shot_noise=0.045, lag_s=float(rng.uniform(0.1, 0.28)))
    return Actor(scene(rng, room=0.08, screen=float(rng.uniform(0.05, 0.15))), noisy)


def _bright(rng: np.random.Generator) -> Actor:
    return Actor(scene(rng, room=2.0, screen=float(rng.uniform(0.2, 0.35))), _usual(rng).camera)


def _albedo(value: float) -> Callable[[np.random.Generator], Actor]:
    return lambda rng: Actor(scene(rng, person=head(rng, value)), _usual(rng).camera)


def _camera(**changes: float) -> Callable[[np.random.Generator], Actor]:
    def make(rng: np.random.Generator) -> Actor:
        usual = _usual(rng)
        return replace(usual, camera=replace(usual.camera, **changes))  # type: ignore[arg-type]

    return make


def _shaking(rng: np.random.Generator) -> Actor:
    return replace(_usual(rng), sway=2.5)


GENUINE: tuple[Species, ...] = (
    Species("office", "genuine", _usual, person),
    Species("dark room", "genuine", _dark, person),
    Species("bright room", "genuine", _bright, person),
    Species("darkest skin", "genuine", _albedo(0.12), person),
    Species("lightest skin", "genuine", _albedo(0.75), person),
    Species("low bitrate", "genuine", _camera(crf=34), person),
    Species(
        "old phone", "genuine", _camera(fps=9.0, jitter_s=0.015, read_noise=0.01, shot_noise=0.04), person
    ),
    Species("shaking hand", "genuine", _shaking, person),
    Species("beauty filter", "genuine", _camera(smooth=0.8), person),
)
ATTACKS: tuple[Species, ...] = (
    Species("print", "presentation", _usual, printed, level="1", first="turn"),
    Species("bent print", "presentation", _usual, bent_print, level="1", first="turn"),
    Species("replay on a screen", "presentation", _usual, replayed, level="1"),
    Species("warped photograph", "injection", _usual, warped, "virtual camera", first="turn"),
    Species("recorded session", "injection", _usual, recorded, "virtual camera"),
    Species("wrong code", "injection", _usual, wrong_code, "virtual camera"),
    Species("uniform tint", "injection", _usual, tinted, "virtual camera"),
    Species("loop", "injection", _usual, loop, "virtual camera", first="turn"),
)
SPECIES: Mapping[str, Species] = {s.name: s for s in (*GENUINE, *ATTACKS)}
