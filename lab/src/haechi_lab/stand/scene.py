"""A person before a wall, lit by a room and by the screen that asks: frames of linear light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from haechi.types import F32, F64
from haechi_lab.stand.head import MAP_PX, Head, head, open_mouth
from haechi_lab.stand.motion import Moment
from haechi_lab.stand.render import Light, Pose, View, head_layer

_LEVELS = 6  # of a mouth that opens: each is painted once


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """person, wall f32 (h, w, 3): its albedo · behind: its distance behind the person, in distances between
    the eyes · light: of the room, with the light of a white screen as ``screen`` · shirt f64 (3,): its
    albedo."""

    person: Head
    wall: F32
    behind: float
    light: Light
    view: View
    shirt: F64

    def film(self, moments: Sequence[Moment], screen: F64) -> list[F32]:
        """Linear light f32 (h, w, 3) of each moment; ``screen`` f64 (K, 3): what the screen shows then,
        linear RGB in [0, 1]."""
        skins: dict[int, F32] = {}
        out = []
        for moment, colour in zip(moments, screen, strict=True):
            step = round(moment.mouth * _LEVELS)
            if step not in skins:
                skins[step] = open_mouth(self.person.skin, self.person.mouth_y, step / _LEVELS)
            light = replace(self.light, screen=self.light.screen * colour)
            out.append(self._frame(skins[step], moment.pose, light))
        return out

    def film_still(self, moments: Sequence[Moment], screen: F64) -> list[F32]:
        """The same of somebody who only sways: the head is drawn once under the room and once under the
        screen, whose sum every light is, and moved as a picture."""
        first = moments[0]
        skin = open_mouth(self.person.skin, self.person.mouth_y, first.mouth)
        dark = replace(self.light, screen=np.zeros(3))
        lamp = Light(np.zeros(3), np.zeros(3), self.light.window_from, self.light.screen)
        room, answer = self._frame(skin, first.pose, dark), self._frame(skin, first.pose, lamp)
        scale = self.view.focal / self.view.distance
        out = []
        for moment, colour in zip(moments, screen, strict=True):
            dx = (moment.pose.x - first.pose.x + 0.012 * (moment.pose.yaw - first.pose.yaw)) * scale
            dy = (moment.pose.y - first.pose.y + 0.012 * (moment.pose.pitch - first.pose.pitch)) * scale
            frame = room + answer * colour.astype(np.float32)
            out.append(_moved(frame, dx, dy))
        return out

    def _frame(self, skin: F32, pose: Pose, light: Light) -> F32:
        falloff = (self.view.distance / (self.view.distance + self.behind)) ** 2
        level = light.ambient * 0.8 + 0.3 * light.window + falloff * light.screen
        picture = self.wall * level.astype(np.float32)
        picture = self._body(picture, pose, light)
        left, top, right, bottom = self.view.around(pose)
        person, there = head_layer(self.person, skin, pose, light, self.view)
        part = picture[top:bottom, left:right]
        picture[top:bottom, left:right] = part * (1 - there[..., None]) + person * there[..., None]
        out: F32 = picture
        return out

    def _body(self, picture: F32, pose: Pose, light: Light) -> F32:
        """Neck and shoulders under the head, a little behind it."""
        scale = self.view.focal / (self.view.distance - pose.z + 1)
        x, y = self.view.width / 2 + pose.x * scale, self.view.height * 0.44 + pose.y * scale
        level = (light.ambient * 0.7 + 0.3 * light.window + 0.75 * light.screen).astype(np.float32)
        shirt, neck = picture.copy(), self.person.skin[-60, MAP_PX // 2] * 0.8
        for centre, axes, albedo in (
            ((0.0, 4.6), (3.3, 2.4), self.shirt),
            ((0.0, 1.9), (0.72, 1.3), neck),
        ):
            at = (round(x + centre[0] * scale), round(y + centre[1] * scale))
            size = (round(axes[0] * scale), round(axes[1] * scale))
            colour = tuple(float(v) for v in np.asarray(albedo) * level)
            cv2.ellipse(shirt, at, size, 0, 0, 360, colour, -1, cv2.LINE_8)
        return shirt


def _moved(picture: F32, dx: float, dy: float) -> F32:
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    size = (picture.shape[1], picture.shape[0])
    out = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32)


def scene(
    rng: np.random.Generator, *, room: float = 1.0, screen: float | None = None, person: Head | None = None
) -> Scene:
    """A scene. person: None stands for a painted head of nobody · room: light of the room, 1 is a lit office
    · screen: light of a white screen on the face beside that of the room, drawn between a phone's and a
    laptop's when None."""
    view = View()
    wall = np.full((view.height, view.width, 3), 1.0) * rng.uniform(0.25, 0.75) * rng.uniform(0.85, 1.0, 3)
    for size in (3, 11, 40):
        spots = rng.normal(0, 0.08, (size, size, 3)).astype(np.float32)
        wall *= 1 + cv2.resize(spots, (view.width, view.height), interpolation=cv2.INTER_CUBIC)
    level = 0.5 * room
    warm = np.array([1.0, rng.uniform(0.85, 1.0), rng.uniform(0.65, 1.05)])
    side = rng.choice([-1, 1])
    window_from = np.array([side * rng.uniform(0.3, 0.8), -rng.uniform(0.2, 0.6), 0.7])
    share = float(rng.uniform(0.2, 0.6)) if screen is None else screen
    light = Light(
        level * warm,
        0.7 * level * rng.uniform(0.2, 1.0) * np.ones(3),
        window_from / np.linalg.norm(window_from),
        0.5 * share * np.array([1.0, 1.0, 1.05]),
    )
    return Scene(
        person or head(rng),
        wall.astype(np.float32),
        float(rng.uniform(4, 20)),
        light,
        view,
        rng.uniform(0.05, 0.6, 3),
    )
