"""The adapters, one file a family. FAMILIES is the table by name, in no order that matters."""

from __future__ import annotations

from ..family import Family
from .cogvideox import CogVideoX
from .framepack import FramePack
from .hunyuan import HunyuanVideo
from .hunyuan15 import HunyuanVideo15
from .i2vgen import I2VGen
from .ltx import Ltx
from .skyreels import SkyReels, SkyReelsForcing
from .svd import StableVideo
from .wan import Wan

FAMILIES: dict[str, Family] = {
    family.name: family()
    for family in (
        Wan, Ltx, HunyuanVideo, HunyuanVideo15, FramePack, CogVideoX, SkyReels, SkyReelsForcing, StableVideo, I2VGen,
    )
}  # fmt: skip
