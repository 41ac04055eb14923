"""LTX-Video 0.9.x: image to video; from 0.9.5 on also with a last picture and with the end of another clip."""

# pyright: reportMissingImports=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..family import Ask, Family

if TYPE_CHECKING:
    import torch

PASSED_ON = ("timesteps", "decode_timestep", "decode_noise_scale", "guidance_rescale")


class Ltx(Family):
    """LTXImageToVideoPipeline, or LTXConditionPipeline with the same parts where the option `conditions` is set.

    The option belongs to 0.9.5 and later: they were trained on pictures anywhere in the clip and on the steps which
    that class draws up. Only it takes `timesteps`, as distilled models need them. A VAE that finishes the denoising
    wants decode_timestep and decode_noise_scale.
    """

    name = "ltx"
    pipeline = "LTXImageToVideoPipeline"
    signature = ("LTXVideoTransformer3DModel",)

    def pipeline_name(self, ask: Ask | None) -> str:
        return "LTXConditionPipeline" if ask and ask.options.get("conditions") else self.pipeline

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        arguments = super().arguments(pipe, ask) | {"frame_rate": ask.fps}
        arguments |= {key: ask.options[key] for key in PASSED_ON if key in ask.options}
        if ask.options.get("conditions"):
            del arguments["image"]
            arguments["conditions"] = _conditions(ask)
            if "image_cond_noise_scale" in ask.options:
                arguments["image_cond_noise_scale"] = ask.options["image_cond_noise_scale"]
        return arguments

    def latents(self, pipe: Any, ask: Ask, latents: torch.Tensor) -> torch.Tensor:
        """One token a latent pixel, frame by frame; those of pictures beyond the first stand before them."""
        frames = (ask.num_frames - 1) // pipe.vae_temporal_compression_ratio + 1
        height = ask.height // pipe.vae_spatial_compression_ratio
        width = ask.width // pipe.vae_spatial_compression_ratio
        return latents[0, -frames * height * width :].T.reshape(-1, frames, height, width)

    def take_back(self, pipe: Any, ask: Ask, latents: torch.Tensor, old: torch.Tensor) -> torch.Tensor:
        import torch

        tokens = latents.flatten(1).T[None]
        return torch.cat([old[:, : old.shape[1] - tokens.shape[1]], tokens], dim=1)


def _conditions(ask: Ask) -> list[Any]:
    """What is known of the clip, by frame: its beginning, and perhaps its last picture."""
    from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition

    if len(ask.previous) > 1:
        known = [LTXVideoCondition(video=list(ask.previous), frame_index=0)]
    else:
        known = [LTXVideoCondition(image=ask.image, frame_index=0)]
    if ask.last_image:
        known.append(LTXVideoCondition(image=ask.last_image, frame_index=ask.num_frames - 1))
    return known
