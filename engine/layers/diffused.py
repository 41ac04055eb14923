"""An inpainting pipeline of diffusers as a painter. torch is imported only when one is used."""

# torch and diffusers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import gc
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..errors import BadModel, DioramaError, OutOfMemory, WeightsMissing
from .painter import OWN_FILL

STEPS = 25
SEED = 0                    # the same still gets the same fill
PROMPT = "empty background"
# What loading or running somebody's model raises, as far as it is the model's or the machine's fault.
FAULTS = (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError, MemoryError)


class DiffusionPainter:
    """Runs on the GPU where there is one, in half precision; when its memory runs out, on the CPU, and says so."""

    def __init__(self, folder: Path, between: Callable[[], None]) -> None:
        self.side = _side(folder)
        try:
            import diffusers  # noqa: F401

            from ..depth.learned import best_device
        except ImportError as error:
            raise WeightsMissing("A fill by diffusion needs the full engine, which is not installed.",
                                 f"Install it from Diorama's preferences. {OWN_FILL}") from error
        self.warnings: list[str] = []
        self.between = between
        self._folder, self._device = folder, best_device()
        self._pipeline: Any = None

    def square(self, picture: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
        try:
            found = self._run(picture, mask)
        except FAULTS as error:
            if self._device == "cpu" or not _memory_ran_out(error):
                raise self._explained(error) from error
            self.warnings.append(f"The graphics memory ran out, so the fill in {self._folder.name} ran on the CPU: "
                                 "slower, but of the same kind.")
            self._device, self._pipeline = "cpu", None
            return self.square(picture, mask)
        if any(getattr(found, "nsfw_content_detected", None) or ()):
            self.warnings.append(f"The safety checker in {self._folder.name} blocked a part of the fill; there "
                                 "Diorama's own fill stays.")
            return None
        return np.asarray(found.images[0].convert("RGB"))

    def _run(self, picture: np.ndarray, mask: np.ndarray) -> Any:
        import torch

        if self._pipeline is None:
            self._pipeline = self._loaded()
        given = {"prompt": PROMPT, "image": Image.fromarray(picture),
                 "mask_image": Image.fromarray(mask.astype(np.uint8) * 255), "height": self.side, "width": self.side,
                 "strength": 1.0, "num_inference_steps": STEPS, "generator": torch.Generator("cpu").manual_seed(SEED)}
        taken = inspect.signature(type(self._pipeline).__call__).parameters
        if "mask_image" not in taken:
            raise ValueError(f"{type(self._pipeline).__name__} takes no mask.")
        return self._pipeline(**{name: value for name, value in given.items() if name in taken})

    def _loaded(self) -> Any:
        import diffusers
        import torch

        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        pipeline = diffusers.DiffusionPipeline.from_pretrained(
            str(self._folder), dtype=torch.float32 if self._device == "cpu" else torch.float16,
            local_files_only=True, use_safetensors=True)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline.to(self._device)

    def _explained(self, error: BaseException) -> DioramaError:
        if _memory_ran_out(error):
            return OutOfMemory(f"There is not enough memory for the fill in {self._folder.name}.",
                               "Close other programs, or choose none: then Diorama's own fill is used.")
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        return BadModel(f"The inpainting pipeline in {self._folder.name} does not work: {reason}", OWN_FILL)


def _side(folder: Path) -> int:
    """Of the squares on which the pipeline's denoiser learned, pixels. Raises BadModel where there is no pipeline."""
    try:
        parts = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
        denoiser = "unet" if "unet" in parts else "transformer"
        latents = json.loads((folder / denoiser / "config.json").read_text(encoding="utf-8"))["sample_size"]
        steps = len(json.loads((folder / "vae" / "config.json").read_text(encoding="utf-8"))["block_out_channels"])
        return int(latents) * 2 ** (steps - 1)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadModel(f"{folder.name} holds no inpainting pipeline of diffusers.", OWN_FILL) from error


def _memory_ran_out(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower() or "allocate memory" in str(error)
