"""A still and its depth -> a layered still."""

from .build import build_layered_still
from .painter import open_painter
from .still import Layer, LayeredStill

__all__ = ["Layer", "LayeredStill", "build_layered_still", "open_painter"]
