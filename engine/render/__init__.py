"""The rasteriser: a layered still and a camera path become frames."""

from .rasteriser import Rasteriser

__all__ = ["Rasteriser"]
