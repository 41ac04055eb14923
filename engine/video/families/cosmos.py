"""Cosmos Predict 2 and 2.5. They run under NVIDIA's guardrail or not at all."""

# torch and diffusers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from engine.errors import BadRequest, NoPicture, WeightsMissing

from ..family import Ask, Family

if TYPE_CHECKING:
    import numpy as np
    import torch


class _Guarded(Family):
    """Both classes refuse to run without a safety checker, and their licence ends where it is taken away.

    It looks at the prompt and at the frames, and makes faces unrecognisable. It is a package of its own with networks
    of its own, which the engine does not bring.
    """

    denoisers = ("transformer",)
    signature = ("CosmosTransformer3DModel",)

    def load_options(self, folder: Path) -> dict[str, Any]:
        """Raises WeightsMissing where the guardrail is not installed."""
        from diffusers.pipelines.cosmos import pipeline_cosmos2_video2world as cosmos

        try:
            guardrail = cosmos.CosmosSafetyChecker()  # without the package a stand-in of diffusers that only complains
        except ImportError as error:
            raise WeightsMissing(
                "Cosmos may only run with NVIDIA's guardrail, which is not installed.",
                "Install the package cosmos_guardrail into the engine, or choose another model.",
            ) from error
        _without_torchvision()
        return {"safety_checker": _speaking(guardrail)}

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        # Without one, the authors' own.
        return super().arguments(pipe, ask) | {"negative_prompt": ask.negative_prompt or None}


class Cosmos2(_Guarded):
    """Cosmos2VideoToWorldPipeline: T5 reads the prompt, the frame rate is told to the model."""

    name = "cosmos2"
    pipeline = "Cosmos2VideoToWorldPipeline"

    def recognises(self, index: dict[str, str], config: dict[str, Any]) -> bool:
        return super().recognises(index, config) and index.get("text_encoder") == "T5EncoderModel"

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        return super().arguments(pipe, ask) | {"fps": round(ask.fps)}


class Cosmos25(_Guarded):
    """Cosmos2_5_PredictBasePipeline: Qwen reads the prompt.

    The still goes in as a clip of one frame: its own argument for a still needs torchvision and does the same.
    """

    name = "cosmos25"
    pipeline = "Cosmos2_5_PredictBasePipeline"

    def recognises(self, index: dict[str, str], config: dict[str, Any]) -> bool:
        return super().recognises(index, config) and index.get("text_encoder") != "T5EncoderModel"

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        arguments = super().arguments(pipe, ask)
        return arguments | {"video": [arguments.pop("image")], "num_latent_conditional_frames": 1}


def _speaking(guardrail: Any) -> Any:
    """The same guardrail, whose refusals are told to the person; diffusers itself would fail somewhere behind them."""
    text_is_safe, guarded = guardrail.check_text_safety, guardrail.check_video_safety

    def check_text_safety(prompt: str) -> bool:
        if not text_is_safe(prompt):
            raise BadRequest("NVIDIA's guardrail refuses this prompt.", "Say it differently, or choose another model.")
        return True

    def check_video_safety(frames: np.ndarray) -> np.ndarray:
        shown = guarded(frames)
        if shown is None:
            raise NoPicture("NVIDIA's guardrail holds the clip back.", "Try another seed, or choose another model.")
        return shown

    guardrail.check_text_safety, guardrail.check_video_safety = check_text_safety, check_video_safety
    return guardrail


def _without_torchvision() -> None:
    """The transformer resizes one mask with torchvision, which the engine does not have: torch does the same."""
    from diffusers.models.transformers import transformer_cosmos

    if hasattr(transformer_cosmos, "transforms"):
        return

    def resize(mask: torch.Tensor, size: list[int], interpolation: str) -> torch.Tensor:
        import torch

        return torch.nn.functional.interpolate(mask, size=size, mode=interpolation)

    transformer_cosmos.transforms = SimpleNamespace(  # pyright: ignore[reportAttributeAccessIssue]
        functional=SimpleNamespace(resize=resize), InterpolationMode=SimpleNamespace(NEAREST="nearest")
    )
