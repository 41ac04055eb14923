"""Intrinsics, camera moves, easing and paths. numpy only: the engine and Blender's rig both use it."""

from .intrinsics import Intrinsics, View

__all__ = ["Intrinsics", "View"]
