"""A still and its depth -> a layered still."""

from .build import build_layered_still
from .still import Layer, LayeredStill

__all__ = ["Layer", "LayeredStill", "build_layered_still"]
