"""Wan 2.1 and 2.2: image to video, first and last frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..family import Ask, Family


class Wan(Family):
    """WanImageToVideoPipeline in its three layouts: 2.1 with an image encoder, 2.2 A14B with two experts, 2.2 5B."""

    name = "wan"
    pipeline = "WanImageToVideoPipeline"
    denoisers = ("transformer", "transformer_2")
    signature = ("WanTransformer3DModel",)

    def controls(self, pipe_config: dict[str, Any], config: dict[str, Any], catalog: frozenset[str]) -> frozenset[str]:
        """The 5B layout accepts a last frame and ignores it; 2.1 takes one only where it was trained for it."""
        two_experts = bool((pipe_config.get("transformer_2") or [None])[0])
        takes_last = two_experts or bool(config.get("pos_embed_seq_len"))
        return catalog - {"last_image"} if pipe_config.get("expand_timesteps") or not takes_last else catalog

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        low_noise = ask.options.get("guidance_scale_2")
        return super().arguments(pipe, ask) | {
            **({"last_image": ask.last_image} if ask.last_image else {}),
            **({"guidance_scale_2": low_noise} if low_noise is not None and pipe.transformer_2 else {}),
        }

    def load_lora(self, pipe: Any, path: str, name: str, part: int) -> None:
        """A file is for one of two experts if its name or its place says so, else for both."""
        told = Path(path).stem.lower() if pipe.transformer_2 is not None else ""
        low = bool(told) and (part == 1 or "low" in told)
        if told and (low or "high" not in told):
            pipe.load_lora_weights(path, adapter_name=name, load_into_transformer_2=True)
        if not low:
            pipe.load_lora_weights(path, adapter_name=name)
