"""CogVideoX and CogVideoX 1.5, image to video."""

# pyright: reportMissingImports=false

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..family import Ask, Family, FrameRule

if TYPE_CHECKING:
    import torch

PIXELS = 8          # along each side of a latent


class CogVideoX(Family):
    """CogVideoXImageToVideoPipeline. 5B I2V has learned positions, so it works at one size only."""

    name = "cogvideox"
    pipeline = "CogVideoXImageToVideoPipeline"
    signature = ("CogVideoXTransformer3DModel",)

    def frame_rule(self, config: dict[str, Any], catalog: FrameRule) -> FrameRule:
        """With an even number of latent frames the decoder does not know the first one and makes three too many.

        1.5 was trained on every other one of the rest.
        """
        multiple = 16 if config.get("patch_size_t") else 8
        return replace(catalog, multiple=multiple, extra=1, least=multiple + 1)

    def only_size(self, config: dict[str, Any]) -> tuple[int, int] | None:
        if not config.get("use_learned_positional_embeddings"):
            return None
        return config["sample_width"] * PIXELS, config["sample_height"] * PIXELS

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        return super().arguments(pipe, ask) | {"use_dynamic_cfg": bool(ask.options.get("use_dynamic_cfg"))}

    def latents(self, pipe: Any, ask: Ask, latents: torch.Tensor) -> torch.Tensor:
        """They come frame by frame, in 1.5 with one of padding before the clip."""
        frames = (ask.num_frames - 1) // pipe.vae_scale_factor_temporal + 1
        return latents[0, -frames:].transpose(0, 1)

    def take_back(self, pipe: Any, ask: Ask, latents: torch.Tensor, old: torch.Tensor) -> torch.Tensor:
        import torch

        frames = latents.transpose(0, 1)[None]
        return torch.cat([old[:, : old.shape[1] - frames.shape[1]], frames], dim=1)
