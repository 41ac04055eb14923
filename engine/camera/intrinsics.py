"""Pinhole cameras, in OpenCV's axes: x right, y down, z forward; the centre of the top-left pixel is (0, 0)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import BadRequest

DEFAULT_LENS_MM = 30.0  # on a 36 mm wide film: what SHARP assumes too when a photo does not tell
FILM_WIDTH_MM = 36.0
ROTATION_ERROR = 1e-3  # Blender's matrices are of single precision


@dataclass(frozen=True)
class Intrinsics:
    """fx, fy: focal lengths; cx, cy: principal point; all in pixels."""

    fx: float
    fy: float
    cx: float
    cy: float

    @classmethod
    def from_size(cls, width: int, height: int, lens_mm: float = DEFAULT_LENS_MM) -> Intrinsics:
        """A centred camera of that lens, 35 mm equivalent along the longer side."""
        focal = lens_mm / FILM_WIDTH_MM * max(width, height)
        return cls(focal, focal, (width - 1) / 2, (height - 1) / 2)

    def resized(self, scale_x: float, scale_y: float) -> Intrinsics:
        """The same camera for a picture that is scaled by those factors, edge to edge."""
        return Intrinsics(
            self.fx * scale_x, self.fy * scale_y, (self.cx + 0.5) * scale_x - 0.5, (self.cy + 0.5) * scale_y - 0.5
        )

    def cropped(self, left: float, top: float) -> Intrinsics:
        """The same camera for the part of the picture that begins at column `left` and row `top`."""
        return Intrinsics(self.fx, self.fy, self.cx - left, self.cy - top)

    def matrix(self) -> np.ndarray:
        """(3, 3) float64."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1.0]])


@dataclass(frozen=True)
class View:
    """One frame's camera. world2cam: (4, 4) float64, the source camera is the identity. width, height: in pixels."""

    world2cam: np.ndarray
    intrinsics: Intrinsics
    width: int
    height: int

    @classmethod
    def read(cls, numbers: Sequence[float], width: int, height: int, index: int) -> View:
        """A view as requests carry it: world2cam row by row, then fx, fy, cx, cy. index: of its frame, for messages.

        Raises BadRequest for what is no camera.
        """
        values = np.array(numbers, np.float64)
        if values.shape != (20,) or not np.isfinite(values).all():
            raise BadRequest(f"The camera of frame {index + 1} is not whole.", "Check the camera's animation.")
        world2cam = values[:16].reshape(4, 4)
        turn = world2cam[:3, :3]
        bent = np.abs(turn @ turn.T - np.eye(3)).max() > ROTATION_ERROR
        if bent or np.linalg.det(turn) < 0 or min(values[16:18]) <= 0:
            raise BadRequest(
                f"The camera of frame {index + 1} is scaled, mirrored or without a lens.",
                "Use a perspective camera without scale.",
            )
        fx, fy, cx, cy = (float(value) for value in values[16:])
        return cls(world2cam, Intrinsics(fx, fy, cx, cy), width, height)
