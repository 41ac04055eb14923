"""I2VGen-XL, an older model that diffusers keeps without care."""

# pyright: reportMissingImports=false

from __future__ import annotations

from typing import Any

from ..family import Ask, Family

CHUNK = 8       # frames decoded at once: less memory


class I2VGen(Family):
    """I2VGenXLPipeline. It has no callback, and its default of clip_skip does not work with transformers 5.

    It draws the latents of the still from torch's own random numbers and not from the generator.
    """

    name = "i2vgen"
    pipeline = "I2VGenXLPipeline"
    denoisers = ("unet",)
    signature = ("I2VGenXLUNet",)
    callback = False

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        import torch

        torch.manual_seed(ask.generator.initial_seed())
        more = {"target_fps": round(ask.fps), "clip_skip": None, "decode_chunk_size": CHUNK}
        return super().arguments(pipe, ask) | more
