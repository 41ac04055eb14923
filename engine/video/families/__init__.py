"""The adapters, one file a family. FAMILIES is the table by name, in no order that matters."""

from __future__ import annotations

from ..family import Family
from .cogvideox import CogVideoX
from .cosmos import Cosmos2, Cosmos25
from .framepack import FramePack
from .helios import Helios, HeliosPyramid
from .hunyuan import HunyuanVideo
from .hunyuan15 import HunyuanVideo15
from .i2vgen import I2VGen
from .kandinsky import Kandinsky5, Kandinsky6
from .ltx import Ltx
from .ltx2 import Ltx2
from .motif import Motif
from .sana import Sana
from .sana_wm import SanaWm
from .skyreels import SkyReels, SkyReelsForcing
from .svd import StableVideo
from .vace import Vace
from .wan import Wan

FAMILIES: dict[str, Family] = {
    family.name: family()
    for family in (
        Wan, Ltx, HunyuanVideo, HunyuanVideo15, FramePack, CogVideoX, SkyReels, SkyReelsForcing, StableVideo, I2VGen,
        Ltx2, Kandinsky5, Kandinsky6, Cosmos2, Cosmos25, Sana, SanaWm, Helios, HeliosPyramid, Motif, Vace,
    )
}  # fmt: skip
