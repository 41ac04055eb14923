"""SkyReels V2: image to video, and diffusion forcing, which makes long clips piece by piece."""

# pyright: reportMissingImports=false

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..family import Ask, Family

if TYPE_CHECKING:
    import torch

BASE = 97           # frames that the 540p models make at once
OVERLAP = 17        # frames of the piece before that the next one sees at least, as its authors advise


class SkyReels(Family):
    """SkyReelsV2ImageToVideoPipeline: Wan 2.1 trained further, with the same image encoder."""

    name = "skyreels"
    pipeline = "SkyReelsV2ImageToVideoPipeline"
    signature = ("SkyReelsV2Transformer3DModel",)

    def recognises(self, index: dict[str, str], config: dict[str, Any]) -> bool:
        return super().recognises(index, config) and bool(index.get("image_encoder"))


class SkyReelsForcing(Family):
    """SkyReelsV2DiffusionForcingImageToVideoPipeline: each frame has a noise level of its own.

    Longer than base_num_frames (an option) it goes on by itself from the frames before. With a last picture it makes
    the clip at once, because the pipeline cuts the wrong frames off when it does both.
    """

    name = "skyreels_forcing"
    pipeline = "SkyReelsV2DiffusionForcingImageToVideoPipeline"
    signature = ("SkyReelsV2Transformer3DModel",)

    def recognises(self, index: dict[str, str], config: dict[str, Any]) -> bool:
        return super().recognises(index, config) and not index.get("image_encoder")

    def num_steps(self, ask: Ask) -> int:
        return ask.num_inference_steps * _pieces(ask)[0]

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        import torch

        pieces, length, overlap = _pieces(ask)
        arguments = super().arguments(pipe, ask) | {"base_num_frames": length, "fps": round(ask.fps)}
        if pieces > 1:
            # The noise on what is known comes from torch's own random numbers and not from the generator.
            torch.manual_seed(ask.generator.initial_seed())
            noise = ask.options.get("addnoise_condition", 20)
            arguments |= {"overlap_history": overlap, "addnoise_condition": noise}
        return arguments | ({"last_image": ask.last_image} if ask.last_image else {})

    def latents(self, pipe: Any, ask: Ask, latents: torch.Tensor) -> torch.Tensor:
        """Of the piece that is being made, without the last picture behind it."""
        return latents[0, :, : _latent(ask.num_frames)]

    def take_back(self, pipe: Any, ask: Ask, latents: torch.Tensor, old: torch.Tensor) -> torch.Tensor:
        import torch

        return torch.cat([latents[None], old[:, :, latents.shape[1] :]], dim=2)


def _pieces(ask: Ask) -> tuple[int, int, int]:
    """How many, the frames of each, and how many of them the next one sees again.

    The pipeline fails where the last piece is shorter than the others, so the overlap grows until all are whole.
    """
    base, frames = _latent(ask.options.get("base_num_frames", BASE)), _latent(ask.num_frames)
    if frames <= base or ask.last_image:
        return 1, ask.num_frames, 0
    further = math.ceil((frames - base) / (base - _latent(OVERLAP)))
    stride = math.ceil((frames - base) / further)
    length = frames - further * stride
    return further + 1, (length - 1) * 4 + 1, (length - stride - 1) * 4 + 1


def _latent(frames: int) -> int:
    return (frames - 1) // 4 + 1
