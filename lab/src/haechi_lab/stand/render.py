"""Rays from the camera onto a head, a sheet of paper or a screen; Lambert and specular light of the room and
of the screen before the subject."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from haechi.types import F32, F64
from haechi_lab.stand.head import MAP_PX, REACH, Head

STEPS = 4
"""Fixed-point steps from the ellipsoid to its relief."""


@dataclass(frozen=True, slots=True)
class Pose:
    """yaw (towards the picture's right), pitch (down) and roll in degrees; x, y, z: where it stands, z
    towards the camera."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.0
    y: float = 0.0
    z: float = 0.0

    @property
    def turn(self) -> F64:
        """f64 (3, 3): from the head to the room."""
        a, b, c = np.radians([self.yaw, self.pitch, self.roll])
        yaw = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
        pitch = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
        roll = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
        out: F64 = roll @ yaw @ pitch
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """ambient, window, screen f64 (3,): linear RGB · window_from: where the window lies, a unit vector."""

    ambient: F64
    window: F64
    window_from: F64
    screen: F64


@dataclass(frozen=True, slots=True)
class View:
    """width x height pixels, the focal length in pixels, the camera's distance from the origin."""

    width: int = 320
    height: int = 240
    focal: float = 440.0
    distance: float = 8.5

    def rays(self, box: tuple[int, int, int, int]) -> tuple[F32, F32]:
        """Directions x, y f32 (h, w) for a step of 1 away from the camera, of the pixels of a box (left, top,
        right, bottom)."""
        left, top, right, bottom = box
        xs = (np.arange(left, right, dtype=np.float32) - self.width / 2) / self.focal
        ys = (np.arange(top, bottom, dtype=np.float32) - self.height * 0.44) / self.focal
        return np.meshgrid(xs, ys)  # type: ignore[return-value]

    def around(self, pose: Pose) -> tuple[int, int, int, int]:
        """The pixels that a head in this pose may cover."""
        scale = self.focal / (self.distance - pose.z)
        x, y = self.width / 2 + pose.x * scale, self.height * 0.44 + pose.y * scale
        left, right = int(x - 1.75 * scale), int(x + 1.75 * scale) + 1
        top, bottom = int(y - 2.3 * scale), int(y + 2.3 * scale) + 1
        return max(left, 0), max(top, 0), min(right, self.width), min(bottom, self.height)


def head_layer(head: Head, skin: F32, pose: Pose, light: Light, view: View) -> tuple[F32, F32]:
    """The head alone, in the pixels of ``view.around(pose)``: light f32 (h, w, 3), and where it is, f32 (h,
    w) in [0, 1]."""
    turn = pose.turn.astype(np.float32)
    dx, dy = view.rays(view.around(pose))
    directions = np.stack([dx, dy, -np.ones_like(dx)], -1) @ turn  # into the head
    origin = (np.array([-pose.x, -pose.y, view.distance - pose.z]) @ turn).astype(np.float32)
    a, b, c = head.half_axes
    scale = np.array([1 / a, 1 / b, 1 / c], np.float32)
    lift = np.zeros(dx.shape, np.float32)
    for _ in range(STEPS):
        start = np.broadcast_to(origin, directions.shape).copy()
        start[..., 2] -= lift
        start[..., 1] -= 0.05
        e, f = start * scale, directions * scale
        aa, bb, cc = (f * f).sum(-1), (e * f).sum(-1), (e * e).sum(-1) - 1
        root = bb * bb - aa * cc
        hit = root > 0
        t = (-bb - np.sqrt(np.maximum(root, 0))) / aa
        points = origin + t[..., None] * directions
        place = ((points[..., :2] + REACH) * ((MAP_PX - 1) / (2 * REACH))).astype(np.float32)
        front = points[..., 2] > 0
        lift = cv2.remap(head.relief, place[..., 0], place[..., 1], cv2.INTER_LINEAR) * front
    albedo = cv2.remap(skin, place[..., 0], place[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    behind = np.clip(0.25 - points[..., 2:] / 0.5, 0, 1)
    albedo = albedo * (1 - behind) + behind * skin[8, MAP_PX // 2]
    normals = _normals(head, points, lift, place) @ turn.T
    world = points @ turn.T + np.array([pose.x, pose.y, pose.z], np.float32)
    shaded = shade(albedo, normals, world, light, view)
    edge = np.clip(np.sqrt(np.maximum(root, 0)) * view.focal / view.distance * 0.35, 0, 1) * hit
    return shaded.astype(np.float32), edge.astype(np.float32)


def _normals(head: Head, points: F32, lift: F32, place: F32) -> F32:
    a, b, c = head.half_axes
    step = (MAP_PX - 1) / (2 * REACH)
    gx = cv2.Sobel(head.relief, cv2.CV_32F, 1, 0, scale=step / 8)
    gy = cv2.Sobel(head.relief, cv2.CV_32F, 0, 1, scale=step / 8)
    slope_x = cv2.remap(gx, place[..., 0], place[..., 1], cv2.INTER_LINEAR)
    slope_y = cv2.remap(gy, place[..., 0], place[..., 1], cv2.INTER_LINEAR)
    z = points[..., 2] - lift
    n = np.stack(
        [
            points[..., 0] / a**2 - z * slope_x / c**2,
            (points[..., 1] - 0.05) / b**2 - z * slope_y / c**2,
            z / c**2,
        ],
        -1,
    )
    out: F32 = n / np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-6)
    return out


def shade(albedo: F32, normals: F32, world: F32, light: Light, view: View) -> F32:
    """What leaves the surface towards the camera; f32 (h, w, 3)."""
    sky = 0.7 - 0.3 * normals[..., 1:2]
    window = np.maximum(normals @ light.window_from.astype(np.float32), 0)[..., None]
    screen_at = np.array([0.0, 0.6, view.distance], np.float32)
    to_screen = screen_at - world
    distance2 = (to_screen**2).sum(-1, keepdims=True)
    to_screen = to_screen / np.sqrt(distance2)
    screen = np.maximum((normals * to_screen).sum(-1, keepdims=True), 0) * (view.distance**2 / distance2)
    shine = 0.35 * np.maximum((normals * to_screen).sum(-1, keepdims=True), 0) ** 24
    lit = albedo * (_f32(light.ambient) * sky + _f32(light.window) * window + _f32(light.screen) * screen)
    out: F32 = lit + 0.12 * shine * _f32(light.screen)
    return out


def _f32(colour: F64) -> F32:
    out: F32 = colour.astype(np.float32)
    return out
