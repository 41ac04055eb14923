"""LTX-2, 2.3 and 2.5: picture and sound in one, first and last frame, a speed of motion."""

# torch and diffusers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..family import Ask, Family, Sound

if TYPE_CHECKING:
    import torch

FASTEST_TIME = 60.0  # frames a second: the finest time base that the model was trained with
# Arguments of the call that an entry of the catalog may set by their own names.
PASSED = (
    "sigmas", "image_crf", "use_cross_timestep", "stg_scale", "modality_scale", "guidance_rescale", "audio_stg_scale",
    "audio_guidance_scale", "audio_modality_scale", "audio_guidance_rescale", "spatio_temporal_guidance_blocks",
)  # fmt: skip


class Ltx2(Family):
    """LTX2ImageToVideoPipeline, and LTX2ConditionPipeline of the same parts for a last still or a clip's end.

    Motion is how fast things move, not how much: the model sees its frames on a time base of fps / motion_speed, and
    knows none finer than FASTEST_TIME. Distilled folders take fixed sigmas in place of steps.
    """

    name = "ltx2"
    pipeline = "LTX2ImageToVideoPipeline"
    signature = ("LTX2VideoTransformer3DModel",)

    def pipeline_name(self, ask: Ask | None) -> str:
        return "LTX2ConditionPipeline" if ask and (ask.last_image or ask.previous) else self.pipeline

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        arguments: dict[str, Any] = super().arguments(pipe, ask)
        arguments["frame_rate"] = ask.fps
        arguments |= {name: ask.options[name] for name in PASSED if name in ask.options}
        if ask.motion is not None:
            arguments["motion_speed"] = (ask.fps / FASTEST_TIME) ** (1 - ask.motion)
        if self.pipeline_name(ask) != self.pipeline:
            del arguments["image"]
            arguments.pop("image_crf", None)
            arguments["conditions"] = _conditions(ask, ask.options.get("image_crf"))
        return arguments

    def num_steps(self, ask: Ask) -> int:
        return len(ask.options["sigmas"]) if "sigmas" in ask.options else ask.num_inference_steps

    def sound(self, pipe: Any, output: Any) -> Sound | None:
        # (1, channels, N); a vocoder with bandwidth extension works at a rate of its own.
        samples = np.asarray(output.audio[0].float().cpu(), np.float32)
        return Sound(samples, int(pipe.vocoder.config.output_sampling_rate))

    def latents(self, pipe: Any, ask: Ask, latents: torch.Tensor) -> torch.Tensor | None:
        grid = (
            (ask.num_frames - 1) // pipe.vae_temporal_compression_ratio + 1,
            ask.height // pipe.vae_spatial_compression_ratio,
            ask.width // pipe.vae_spatial_compression_ratio,
        )
        spatial, temporal = pipe.transformer_spatial_patch_size, pipe.transformer_temporal_patch_size
        clip = latents[:, : math.prod(grid) // (spatial**2 * temporal)]  # behind it stand the tokens of a last still
        return pipe._unpack_latents(clip, *grid, spatial, temporal)[0]

    def take_back(self, pipe: Any, ask: Ask, latents: torch.Tensor, old: torch.Tensor) -> torch.Tensor | None:
        import torch

        patches = (pipe.transformer_spatial_patch_size, pipe.transformer_temporal_patch_size)
        clip = pipe._pack_latents(latents[None], *patches)
        return torch.cat([clip, old[:, clip.shape[1] :]], dim=1)


def _conditions(ask: Ask, crf: int | None) -> list[Any]:
    """crf: how strongly a still is compressed first, as it was in training; None = as the model knows it."""
    from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition

    first = LTX2VideoCondition(frames=list(ask.previous) or ask.image, index=0, crf=crf)
    last = [LTX2VideoCondition(frames=ask.last_image, index=-1, crf=crf)] if ask.last_image else []
    return [first, *last]
