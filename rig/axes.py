"""The one place where OpenCV's axes and intrinsics become Blender's, and back.

The still's camera stands at Blender's origin, looks along +Y, and Z is up: X = x, Y = z, Z = -y of OpenCV's axes
(x right, y down, z forward). A camera of Blender looks along its own -Z and has Y up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..engine.camera import Intrinsics, View
from ..engine.camera.intrinsics import FILM_WIDTH_MM

WORLD = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])  # OpenCV -> Blender, points of the world
CAMERA = np.diag([1.0, -1.0, -1.0])  # Blender's camera axes -> OpenCV's; its own inverse
REST_ROTATION = (float(np.pi / 2), 0.0, 0.0)  # Euler XYZ of the still's camera, and of the layers, which share its axes


@dataclass(frozen=True)
class Lens:
    """A Blender camera's lens with sensor fit HORIZONTAL and a sensor of FILM_WIDTH_MM.

    lens: mm. shift_x, shift_y: in widths of the frame. aspect_x, aspect_y: the scene's pixel aspect.
    """

    lens: float
    shift_x: float
    shift_y: float
    aspect_x: float = 1.0
    aspect_y: float = 1.0


def layer_points(points: np.ndarray) -> np.ndarray:
    """(N, 3) points of a layered still -> (N, 3) float32 in the layers' own axes, which are the still's camera's."""
    return points.astype(np.float32) * np.array([1, -1, -1], np.float32)


def world_points(points: np.ndarray) -> np.ndarray:
    """(..., 3) points in OpenCV's axes -> the same in Blender's world."""
    return points @ WORLD.T


def lens_of(camera: Intrinsics, width: int, height: int) -> Lens:
    """Intrinsics of a frame of width x height pixels -> Blender's lens."""
    aspect = camera.fx / camera.fy
    return Lens(
        camera.fx / width * FILM_WIDTH_MM,
        ((width - 1) / 2 - camera.cx) / width,
        (camera.cy - (height - 1) / 2) / width * aspect,
        max(1.0, 1 / aspect),
        max(1.0, aspect),
    )


def intrinsics_of(lens: Lens, width: int, height: int) -> Intrinsics:
    """The inverse of lens_of()."""
    aspect = lens.aspect_y / lens.aspect_x
    fx = lens.lens / FILM_WIDTH_MM * width
    return Intrinsics(
        fx, fx / aspect, (width - 1) / 2 - lens.shift_x * width, (height - 1) / 2 + lens.shift_y * width / aspect
    )


def world2cam_of(matrix_world: np.ndarray) -> np.ndarray:
    """(4, 4) world matrix of a Blender camera -> (4, 4) float64 world2cam in OpenCV's axes. Its scale is left out."""
    turn = matrix_world[:3, :3] / np.linalg.norm(matrix_world[:3, :3], axis=0)
    cam2world = np.eye(4)
    cam2world[:3, :3] = WORLD.T @ turn @ CAMERA
    cam2world[:3, 3] = WORLD.T @ matrix_world[:3, 3]
    return np.linalg.inv(cam2world)


def place_of(view: View, pivot_depth: float) -> tuple[np.ndarray, float]:
    """A level camera as its place on the rig: (location (3,) in Blender's world before the turn, turn in radians).

    The turn is that of the pivot, an empty at `pivot_depth` on the still's optical axis, about Blender's Z.
    """
    cam2world = np.linalg.inv(view.world2cam)
    forward = view.world2cam[2, :3]
    turn = float(np.arctan2(-forward[0], forward[2]))
    pivot = np.array([0.0, pivot_depth, 0.0])
    cosine, sine = np.cos(turn), np.sin(turn)
    back = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    return back @ (world_points(cam2world[:3, 3]) - pivot) + pivot, turn
