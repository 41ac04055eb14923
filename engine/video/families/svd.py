"""Stable Video Diffusion: a still and an amount of motion, no words."""

# pyright: reportMissingImports=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..family import Ask, Family, FrameRule

if TYPE_CHECKING:
    import torch

BUCKETS = 254       # of motion, so that the middle is 127, the pipeline's own; it was trained on 0 to 255
CHUNK = 8           # frames decoded at once: less memory, and no seam that could be seen


class StableVideo(Family):
    """StableVideoDiffusionPipeline. The rate is something it was told in training, so it is the model's own.

    guidance_scale is that of the last frame; it grows from 1 at the first.
    """

    name = "svd"
    pipeline = "StableVideoDiffusionPipeline"
    denoisers = ("unet",)
    signature = ("UNetSpatioTemporalConditionModel",)

    def frame_rule(self, config: dict[str, Any], catalog: FrameRule) -> FrameRule:
        """The number it was trained on and no other."""
        frames = config.get("num_frames", catalog.default)
        return FrameRule(multiple=1, extra=0, default=frames, least=frames, stable=frames)

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        arguments = super().arguments(pipe, ask)
        for absent in ("prompt", "negative_prompt", "guidance_scale"):
            del arguments[absent]
        arguments |= {"fps": round(ask.fps), "decode_chunk_size": CHUNK, "max_guidance_scale": ask.guidance_scale}
        if ask.motion is not None:
            arguments["motion_bucket_id"] = round(ask.motion * BUCKETS)
        return arguments

    def latents(self, pipe: Any, ask: Ask, latents: torch.Tensor) -> torch.Tensor:
        return latents[0].transpose(0, 1)

    def take_back(self, pipe: Any, ask: Ask, latents: torch.Tensor, old: torch.Tensor) -> torch.Tensor:
        return latents.transpose(0, 1)[None]
