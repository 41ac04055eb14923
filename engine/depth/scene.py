"""What a scene is like when nothing else is known: ground below that comes nearer, far things above, nearer sides."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.depth.sky import Sky

GROUND_POWER = 2.5          # of the row, indoors: floor or table in the lower half, wall above it
SIDES_NEARER = 0.15         # walls and bushes at the left and right edge come towards the camera
BLUE_FARTHER = 0.2          # haze and daylight make far things bluer than near ones
FULL_GROUND = 0.5           # share of the height below the horizon from which on the nearest ground is in the picture
ABOVE_HORIZON = 0.03        # what stands before the sky is far, but nearer than the sky


@dataclass(frozen=True)
class Ground:
    """Disparity of the ground at a row. outdoors: 0..1, how sure a horizon was seen. horizon: share of the height."""

    outdoors: float = 0.0
    horizon: float = 0.0

    def at(self, row: np.ndarray | float) -> np.ndarray | float:
        """row: share of the height, 0 = top, may lie below the picture (> 1). -> disparity, about 0..1.

        A plane's disparity is linear in the row, 0 at the horizon; below a low horizon the picture ends before the
        ground comes near. Indoors the horizon's row is unknown, behind a wall: the mean over what it may be is a curve.
        """
        below = np.maximum(row - self.horizon, 0) / max(1 - self.horizon, FULL_GROUND)
        plane = ABOVE_HORIZON + (1 - ABOVE_HORIZON) * below
        return (1 - self.outdoors) * np.power(row, GROUND_POWER) + self.outdoors * plane


def scene_disparity(picture: np.ndarray, sky: Sky) -> tuple[np.ndarray, Ground]:
    """(h, w, 3) float32 sRGB 0..1 -> disparity of an empty scene (h, w) float32, smooth, about -0.2..1.2; its ground.
    """
    height, width = picture.shape[:2]
    ground = Ground(sky.confidence, sky.horizon)
    rows = ((np.arange(height) + 0.5) / height).astype(np.float32)[:, None]
    across = np.abs((np.arange(width) + 0.5) / width * 2 - 1).astype(np.float32)[None, :]
    blueness = cv2.GaussianBlur(picture[..., 2] - picture[..., 0], (0, 0), max(height, width) / 40)
    indoors = SIDES_NEARER * across**2 - BLUE_FARTHER * blueness
    return (ground.at(rows) + (1 - sky.confidence) * indoors).astype(np.float32), ground
