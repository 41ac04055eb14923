"""HunyuanVideo, image to video, in its two layouts."""

# pyright: reportMissingImports=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..family import Ask, Family

if TYPE_CHECKING:
    import torch

LOST = 4        # frames that the pipeline cuts off where the still stands beside the noise


class HunyuanVideo(Family):
    """HunyuanVideoImageToVideoPipeline.

    Its usual layout holds the still as the first latent frame (token_replace) and was given its guidance in training:
    one call a step, and a negative prompt without any use. The other (latent_concat, 33 channels) is guided by a
    negative prompt, which costs a second call.
    """

    name = "hunyuan"
    pipeline = "HunyuanVideoImageToVideoPipeline"
    signature = ("HunyuanVideoTransformer3DModel",)

    def recognises(self, index: dict[str, str], config: dict[str, Any]) -> bool:
        """Pictures are told by image_condition_type; without it the same class makes video from text alone."""
        return super().recognises(index, config) and bool(config.get("image_condition_type"))

    def controls(self, pipe_config: dict[str, Any], config: dict[str, Any], catalog: frozenset[str]) -> frozenset[str]:
        return catalog - {"negative_prompt"} if config.get("guidance_embeds") else catalog

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        arguments = super().arguments(pipe, ask)
        if not pipe.transformer.config.guidance_embeds:
            arguments |= {"true_cfg_scale": ask.guidance_scale, "guidance_scale": 1.0}
        if _beside(pipe):
            arguments["num_frames"] = ask.num_frames + LOST
        return arguments

    def latents(self, pipe: Any, ask: Ask, latents: torch.Tensor) -> torch.Tensor:
        return latents[0, :, _beside(pipe) :]

    def take_back(self, pipe: Any, ask: Ask, latents: torch.Tensor, old: torch.Tensor) -> torch.Tensor:
        import torch

        return torch.cat([old[:, :, : _beside(pipe)], latents[None]], dim=2)


def _beside(pipe: Any) -> int:
    """Latent frames that are cut off: 1 where the still stands beside the noise, else 0."""
    return int(pipe.transformer.config.image_condition_type == "latent_concat")
