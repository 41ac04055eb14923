"""Intrinsics, camera moves, easing and paths. numpy only: the engine and Blender's rig both use it."""

from .easing import CYCLES, EASINGS
from .further import further
from .intrinsics import Intrinsics, View
from .moves import MOVES, Options
from .path import Bounds, Shot, camera_path, limited, views_at

__all__ = [
    "CYCLES",
    "EASINGS",
    "MOVES",
    "Bounds",
    "Intrinsics",
    "Options",
    "Shot",
    "View",
    "camera_path",
    "further",
    "limited",
    "views_at",
]
