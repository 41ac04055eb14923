"""Kandinsky 5, image to video, and Kandinsky 6, which makes the sound with it."""

# torch and diffusers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..family import Ask, Family, Sound

if TYPE_CHECKING:
    import torch


class _Kandinsky(Family):
    """Their latents lie with the channels last, and behind them what is told about the still.

    Their tokenizer is saved as a processor of words, pictures and films, the last of which needs torchvision; the
    words are all that a clip needs.
    """

    def load_options(self, folder: Path) -> dict[str, Any]:
        from transformers import AutoTokenizer, ProcessorMixin

        class Words(ProcessorMixin):
            def __init__(self, tokenizer: Any = None) -> None:
                super().__init__(tokenizer)

            def __call__(self, images: None = None, text: Any = None, videos: None = None, **options: Any) -> Any:
                return self.tokenizer(text=text, **options)

        kind = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))["tokenizer"][1]
        if not kind.endswith("Processor"):
            return {}
        return {"tokenizer": Words(AutoTokenizer.from_pretrained(str(folder / "tokenizer"), local_files_only=True))}

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        # Without one, the authors' own.
        return super().arguments(pipe, ask) | {"negative_prompt": ask.negative_prompt or None}

    def latents(self, pipe: Any, ask: Ask, latents: torch.Tensor) -> torch.Tensor | None:
        frames = (ask.num_frames - 1) // pipe.vae_scale_factor_temporal + 1
        return latents[0, :frames, ..., : pipe.transformer.config.in_visual_dim].permute(3, 0, 1, 2)

    def take_back(self, pipe: Any, ask: Ask, latents: torch.Tensor, old: torch.Tensor) -> torch.Tensor | None:
        new = old.clone()
        new[0, : latents.shape[1], ..., : latents.shape[0]] = latents.permute(1, 2, 3, 0)
        return new


class Kandinsky5(_Kandinsky):
    """Kandinsky5I2VPipeline."""

    name = "kandinsky5"
    pipeline = "Kandinsky5I2VPipeline"
    signature = ("Kandinsky5Transformer3DModel",)

    def recognises(self, index: dict[str, str], config: dict[str, Any]) -> bool:
        """The same transformer makes video from text alone, and then is not told about a still."""
        return super().recognises(index, config) and bool(config.get("visual_cond"))

    def size_multiple(self, config: dict[str, Any], catalog: int) -> int:
        """Sparse attention works on blocks of 8 x 8 tokens."""
        return 8 * catalog if config.get("attention_type") == "nabla" else catalog


class Kandinsky6(_Kandinsky):
    """Kandinsky6TI2VAPipeline: picture and sound. Distilled folders know no guidance, and no negative prompt."""

    name = "kandinsky6"
    pipeline = "Kandinsky6TI2VAPipeline"
    signature = ("Kandinsky6Transformer3DModel",)

    def controls(self, pipe_config: dict[str, Any], config: dict[str, Any], catalog: frozenset[str]) -> frozenset[str]:
        distilled = (pipe_config.get("scheduler") or ["", ""])[1] == "PiflowScheduler"
        silent = not (pipe_config.get("vocoder") or [None])[0]
        without = {"guidance_scale", "negative_prompt"} if distilled else set()
        return catalog - without - ({"sound"} if silent else set())

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        distilled = type(pipe.scheduler).__name__ == "PiflowScheduler"
        return super().arguments(pipe, ask) | {
            "frame_rate": ask.fps,
            "sample_audio": pipe.vocoder is not None,
            **({"guidance_scale": 1.0} if distilled else {}),
        }

    def sound(self, pipe: Any, output: Any) -> Sound | None:
        if output.audio is None:
            return None
        return Sound(np.asarray(output.audio, np.float32)[:1], int(pipe.audio_sample_rate))  # (batch of 1, N): mono
