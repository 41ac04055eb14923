"""The named camera moves: from progress 0..1 and an amount to a pose of the camera.

Amount is a share of the frame, whatever the depth of the scene:
    push_in, pull_out           the pivot plane grows or shrinks by that share
    truck, pedestal, orbit,     the nearest and the farthest point of the scene move against each other by that share
    arc, circle, handheld       of the frame's width
    dolly_zoom                  the farthest plane grows by that share while the pivot plane keeps its size
    crop                        0..1: how much of the travel is the camera's and not the picture's; 1 = all
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .easing import Choice

Rectangle = tuple[float, float, float, float]  # x, y, width, height as shares of the frame

SWAY_HZ = (0.35, 0.75, 1.3)  # a standing person with a camera: slow sway, breath, tremor
SWAY_SHARES = (0.62, 0.28, 0.10)


@dataclass(frozen=True)
class Scene:
    """What a move must know of the scene.

    near, far, pivot: disparities (1 / scene unit) of the nearest and the farthest point and of the plane that keeps
    its place.
    focal: of the still, as a share of its width. aspect: height / width of the frame. seconds: of the clip.
    """

    near: float
    far: float
    pivot: float
    focal: float
    aspect: float
    seconds: float

    @property
    def pivot_depth(self) -> float:
        return 1 / self.pivot

    def sideways(self, amount: float) -> float:
        """Travel, in scene units, that moves nearest against farthest by `amount` of the frame's width."""
        return amount / (self.focal * max(self.near - self.far, 1e-6))


@dataclass(frozen=True)
class Pose:
    """A camera in the still's axes (x right, y down, z forward); the default is the still's own camera.

    x, y, z: centre, scene units. shown: the part of the pivot plane that fills the frame, as shares of the still's
    frame.
    look_at_pivot: turn towards the pivot plane's centre; otherwise the camera does not turn and its lens shifts.
    """

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    shown: Rectangle = (0.0, 0.0, 1.0, 1.0)
    look_at_pivot: bool = False


@dataclass(frozen=True)
class Move(Choice):
    """pose(progress, amount, scene, options) -> Pose. closed: comes back to its start at progress 1.

    default: an amount that looks good on most photos. most: above it nothing would be left in the frame.
    """

    pose: Callable[[float, float, Scene, Options], Pose]
    default: float = 0.1
    most: float = 0.9
    closed: bool = False


@dataclass(frozen=True)
class Options:
    """What only some moves use: the crop rectangles and the seed of the handheld sway."""

    crop_from: Rectangle = (0.0, 0.0, 1.0, 1.0)
    crop_to: Rectangle = (0.1, 0.1, 0.8, 0.8)
    seed: int = 0


def centred(size: float, x: float = 0.0, y: float = 0.0) -> Rectangle:
    """A part of the frame of that size, its centre moved by x and y; all as shares of the frame."""
    return ((1 - size) / 2 + x, (1 - size) / 2 + y, size, size)


def _dolly(distance: float, scene: Scene) -> Pose:
    return Pose(z=distance, shown=centred(1 - distance * scene.pivot))


def _push_in(u: float, amount: float, scene: Scene, _: Options) -> Pose:
    return _dolly(u * amount * scene.pivot_depth, scene)


def _pull_out(u: float, amount: float, scene: Scene, _: Options) -> Pose:
    return _dolly(-u * amount * scene.pivot_depth, scene)


def _travel(x: float, y: float) -> Callable[[float, float, Scene, Options], Pose]:
    def pose(u: float, amount: float, scene: Scene, _: Options) -> Pose:
        distance = u * scene.sideways(amount)
        return Pose(x=x * distance, y=y * distance)

    return pose


def _orbit(u: float, amount: float, scene: Scene, _: Options) -> Pose:
    angle = np.arcsin(min(scene.sideways(amount) * scene.pivot, 0.9)) * u
    radius = scene.pivot_depth
    return Pose(x=radius * float(np.sin(angle)), z=radius * float(1 - np.cos(angle)), look_at_pivot=True)


def _circle(u: float, amount: float, scene: Scene, _: Options) -> Pose:
    radius, angle = scene.sideways(amount) / 2, 2 * np.pi * u
    return Pose(x=radius * float(np.sin(angle)), y=radius * float(1 - np.cos(angle)) * scene.aspect)


def _arc(u: float, amount: float, scene: Scene, _: Options) -> Pose:
    angle = u * np.pi / 2
    forward = float(1 - np.cos(angle)) * amount * scene.pivot_depth
    return Pose(x=scene.sideways(amount) * float(np.sin(angle)), z=forward, shown=centred(1 - forward * scene.pivot))


def _dolly_zoom(u: float, amount: float, scene: Scene, _: Options) -> Pose:
    grown = 1 / (1 - u * amount)
    back = (grown - 1) / max(scene.pivot - grown * scene.far, 0.05 * scene.pivot)
    return Pose(z=-back)


def _handheld(u: float, amount: float, scene: Scene, options: Options) -> Pose:
    phases = np.random.default_rng(options.seed).uniform(0, 2 * np.pi, (len(SWAY_HZ), 5))
    turns = np.maximum(1, np.round(np.array(SWAY_HZ) * scene.seconds))  # whole turns, so that the sway closes
    sway = np.array(SWAY_SHARES) @ (np.sin(2 * np.pi * turns[:, None] * u + phases) - np.sin(phases)) / 2
    reach = scene.sideways(amount)
    x, y, z, pan, tilt = (float(value) for value in sway)
    forward = z * amount * 0.3 * scene.pivot_depth
    return Pose(
        x=x * reach,
        y=y * reach * scene.aspect,
        z=forward,
        shown=centred(1 - forward * scene.pivot, pan * amount * 0.3, tilt * amount * 0.3),
    )


def _crop(u: float, amount: float, scene: Scene, options: Options) -> Pose:
    start, end = np.array(_framed(options.crop_from)), np.array(_framed(options.crop_to))
    x, y, size, _ = (float(value) for value in start + (end - start) * u)
    to_scene = amount * scene.pivot_depth / scene.focal
    return Pose(
        x=(x + size / 2 - 0.5) * to_scene,
        y=(y + size / 2 - 0.5) * scene.aspect * to_scene,
        z=amount * (1 - size) * scene.pivot_depth,
        shown=(x, y, size, size),
    )


def _framed(part: Rectangle) -> Rectangle:
    """The smallest rectangle of the frame's own aspect around `part` that lies inside the frame: never stretched."""
    x, y, width, height = part
    size = min(max(width, height), 1.0)
    left = min(max(x + width / 2 - size / 2, 0.0), 1 - size)
    top = min(max(y + height / 2 - size / 2, 0.0), 1 - size)
    return (left, top, size, size)


MOVES: dict[str, Move] = {
    "push_in": Move("Push In", "The camera moves towards the scene", _push_in, 0.12),
    "pull_out": Move("Pull Out", "The camera moves away from the scene", _pull_out, 0.05),
    "truck_left": Move("Truck Left", "The camera slides to the left", _travel(-1, 0), 0.06),
    "truck_right": Move("Truck Right", "The camera slides to the right", _travel(1, 0), 0.06),
    "pedestal_up": Move("Pedestal Up", "The camera rises", _travel(0, -1), 0.05),
    "pedestal_down": Move("Pedestal Down", "The camera sinks", _travel(0, 1), 0.05),
    "orbit": Move("Orbit", "The camera swings around the pivot and keeps looking at it", _orbit, 0.05),
    "arc": Move("Arc", "The camera slides to the right and curves in", _arc, 0.07),
    "circle": Move("Circle", "The camera describes a small circle", _circle, 0.05, closed=True),
    "dolly_zoom": Move("Dolly Zoom", "The background grows while the pivot keeps its size", _dolly_zoom, 0.06),
    "handheld": Move("Handheld", "The camera sways as in a person's hands", _handheld, 0.04, closed=True),
    "crop": Move("Crop to Crop", "From one part of the frame to another, with depth", _crop, 1.0, most=1.0),
}
