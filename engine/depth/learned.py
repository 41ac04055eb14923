"""Learned depth: a network of the transformers library, or Marigold of diffusers, from the catalog or any folder.

The raw prediction in floats is used, never the 8 bit picture that the libraries also offer. torch is imported only when
a model is used: the light engine has none.
"""

# torch and its kin belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import functools
import gc
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from engine import hub
from engine.camera.intrinsics import FILM_WIDTH_MM
from engine.depth.catalog import INSTALL_FULL, OFFER, catalog, find_model
from engine.depth.estimate import DepthEstimate
from engine.depth.guided import guided_upsample
from engine.errors import BadDepth, OutOfMemory, WeightsMissing

INPUT_SIDE = 1536           # no network here sees more; a larger still is reduced first
MOST_ASPECT = 3             # a longer panorama is squeezed to this
OUTLINE_SIDE = 2048         # outlines follow the photo at this longer side; beyond that the map is only enlarged
NEAREST_SHARE = 99.9        # percentile of the disparity that becomes 1: one stray sample would flatten all the rest
AFFINE_RELIEF = 8.0         # farthest / nearest depth assumed where a model tells depth without scale and shift
SEED = 0                    # Marigold starts from noise; the same still gives the same depth

DISPARITY, DEPTH, AFFINE_DEPTH = "disparity", "depth", "affine depth"
KINDS = {"depth_anything": DISPARITY, "dpt": DISPARITY, "depth_pro": DISPARITY, "glpn": DEPTH, "zoedepth": DEPTH}
MARIGOLD = "MarigoldDepthPipeline"


@dataclass(frozen=True)
class Prediction:
    """values: (h, w) float32 as the network gave them. tells: DISPARITY, DEPTH or AFFINE_DEPTH.

    view_degrees: the angle of view across the width, where the network tells it.
    """

    values: np.ndarray
    tells: str
    view_degrees: float | None = None


def learned_depth(rgb: np.ndarray, model: str, report: Callable[[str], None] | None = None) -> DepthEstimate:
    """(H, W, 3) uint8 sRGB, a catalog id or a folder -> DepthEstimate of that size.

    Runs on the GPU where there is one; when its memory runs out, on the CPU, and says so in the warnings.
    Raises WeightsMissing (not downloaded, no full engine), BadDepth (no depth model), BadRequest, OutOfMemory.
    """
    folder, label = find_folder(model)
    try:
        import torch
    except ImportError as error:
        raise WeightsMissing("Learned depth needs the full engine, which is not installed.", INSTALL_FULL) from error
    kind = kind_of(folder)
    picture = cv2.resize(rgb, _input_size(*rgb.shape[:2]), interpolation=cv2.INTER_AREA)
    warnings: list[str] = []
    device = best_device()
    if report:
        report(f"{label} looks at the photo ({device})")
    try:
        prediction = _predict(folder, kind, device, picture)
    except (torch.OutOfMemoryError, RuntimeError) as error:
        if device == "cpu" or not _memory_ran_out(error):
            raise _explained(error, label) from error
        release()
        warnings.append(f"The graphics memory ran out, so {label} ran on the CPU: slower, but the same depth.")
        if report:
            report(warnings[0])
        prediction = _on_cpu(folder, kind, picture, label)
    if not np.isfinite(prediction.values).all() and device != "cpu":        # half precision can overflow
        warnings.append(f"{label} gave no usable depth in half precision, so it ran on the CPU.")
        prediction = _on_cpu(folder, kind, picture, label)
    disparity = relative_disparity(prediction, label)
    lens = None
    if prediction.view_degrees and 5 < prediction.view_degrees < 170:
        focal_px = 0.5 * rgb.shape[1] / math.tan(math.radians(prediction.view_degrees) / 2)
        lens = focal_px / max(rgb.shape[:2]) * FILM_WIDTH_MM
    return DepthEstimate(outlined(disparity, rgb), label, lens, tuple(warnings))


def find_folder(model: str) -> tuple[Path, str]:
    """A catalog id or a folder's path -> the folder with the model's files, its name for people."""
    folder = Path(model).expanduser()
    if model not in catalog():
        if folder.is_dir():
            return folder, folder.resolve().name
        if len(folder.parts) > 1:
            raise BadDepth(f"There is no model folder at {model}.", f"Choose one that holds a depth model. {OFFER}")
    entry = find_model(model)
    _needs_hub()
    here = hub.local_folder(entry.sources[0])
    if here is None:
        raise hub.not_here(entry, OFFER)
    return here, entry.name


def kind_of(folder: Path) -> str:
    """The model's type as its files name it: a key of KINDS, or MARIGOLD. Raises BadDepth for everything else."""
    remedy = f"Choose a folder with Depth Anything, DPT, ZoeDepth, GLPN, Depth Pro or Marigold. {OFFER}"
    for name, key in (("model_index.json", "_class_name"), ("config.json", "model_type")):
        try:
            kind = json.loads((folder / name).read_text(encoding="utf-8"))[key]
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadDepth(f"The file {name} in {folder.name} does not describe a model.", remedy) from error
        if kind in KINDS or kind == MARIGOLD:
            return kind
        raise BadDepth(f"{folder.name} holds a model of type {kind}, which does not tell depth.", remedy)
    raise BadDepth(f"{folder.name} holds no model: neither config.json nor model_index.json is there.", remedy)


def best_device() -> str:
    """cuda, mps or cpu, whatever the person chose (DIORAMA_DEVICE=cpu)."""
    import torch

    if os.environ.get("DIORAMA_DEVICE") == "cpu":
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def relative_disparity(prediction: Prediction, label: str) -> np.ndarray:
    """What the network tells, in its own direction -> (h, w) float32, 0 = farthest .. 1 = nearest."""
    values = prediction.values.astype(np.float64)
    if not np.isfinite(values).any():
        raise BadDepth(f"{label} gave no usable depth for this photo.", f"Choose another depth model. {OFFER}")
    values = np.nan_to_num(values, nan=float(np.nanmedian(np.where(np.isfinite(values), values, np.nan))))
    if prediction.tells == DEPTH:
        values = 1 / np.maximum(values, max(1e-3, float(np.percentile(values, 100 - NEAREST_SHARE))))
    elif prediction.tells == AFFINE_DEPTH:
        values = 1 / (1 + (AFFINE_RELIEF - 1) * np.clip(values, 0, 1))
    low, high = float(values.min()), float(np.percentile(values, NEAREST_SHARE))
    if high - low <= 1e-6 * max(abs(high), 1e-6):
        return np.full(values.shape, 0.5, np.float32)
    return np.clip((values - low) / (high - low), 0, 1).astype(np.float32)


def outlined(disparity: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """A network's small map -> the still's size, its steps on the photo's edges. (h, w), (H, W, 3) -> (H, W) float32.

    Held between the neighbours' values, so that the photo's texture cannot become depth.
    """
    height, width = rgb.shape[:2]
    scale = min(1.0, OUTLINE_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    guide = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    small_size = disparity.shape[1::-1]
    small_guide = cv2.resize(guide, small_size, interpolation=cv2.INTER_AREA)
    fine = guided_upsample(guide, small_guide, disparity, radius=2, softness=1e-3)
    low, high = (cv2.resize(act(disparity, np.ones((3, 3), np.uint8)), size, interpolation=cv2.INTER_LINEAR)
                 for act in (cv2.erode, cv2.dilate))
    fine = np.clip(fine, low, high)
    return fine if size == (width, height) else cv2.resize(fine, (width, height), interpolation=cv2.INTER_LINEAR)


def _input_size(height: int, width: int) -> tuple[int, int]:
    """(width, height) of what the network is shown: not too large, and not so long that its memory would burst."""
    scale = min(1.0, INPUT_SIDE / max(height, width))
    longest = MOST_ASPECT * min(height, width)
    return max(1, round(min(width, longest) * scale)), max(1, round(min(height, longest) * scale))


def release() -> None:
    """Lets go of the model that is kept between stills, and of its memory on the GPU."""
    import torch

    _loaded.cache_clear()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


# ------------------------------------------------------------------ the networks


@functools.lru_cache(maxsize=1)
def _loaded(folder: Path, kind: str, device: str) -> tuple[Any, Any]:
    """The model on its device, and what prepares a picture for it. Half precision on a GPU."""
    import torch

    precision = torch.float32 if device == "cpu" else torch.float16
    try:
        if kind == MARIGOLD:
            import diffusers

            pipeline = diffusers.MarigoldDepthPipeline.from_pretrained(str(folder), dtype=precision,
                                                                       local_files_only=True)
            pipeline.set_progress_bar_config(disable=True)
            return pipeline.to(device), None
        import transformers

        model = transformers.AutoModelForDepthEstimation.from_pretrained(str(folder), dtype=precision,
                                                                         local_files_only=True)
        # Depth Pro's own processor needs torchvision, which we leave out; what it does is one resize.
        processor = None if kind == "depth_pro" else transformers.AutoImageProcessor.from_pretrained(
            str(folder), local_files_only=True)
        return model.eval().to(device), processor
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        raise BadDepth(f"The depth model in {folder.name} cannot be loaded: {str(error).strip().splitlines()[0]}",
                       f"Download or copy the whole model again. {OFFER}") from error


def _predict(folder: Path, kind: str, device: str, picture: np.ndarray) -> Prediction:
    import torch

    model, processor = _loaded(folder, kind, device)
    height, width = picture.shape[:2]
    with torch.inference_mode():
        if kind == MARIGOLD:
            found = model(picture.astype(np.float32) / 255, generator=torch.Generator("cpu").manual_seed(SEED),
                          match_input_resolution=False, output_type="np").prediction
            return Prediction(np.asarray(found, np.float32).reshape(found.shape[1:3]), AFFINE_DEPTH)
        if kind == "depth_pro":
            side = int(model.config.patch_size / min(model.config.scaled_images_ratios))
            square = cv2.resize(picture, (side, side), interpolation=cv2.INTER_LINEAR).astype(np.float32) / 127.5 - 1
            pixels = torch.from_numpy(square.transpose(2, 0, 1)[None])
        else:
            pixels = processor(images=Image.fromarray(picture), return_tensors="pt")["pixel_values"]
        output = model(pixel_values=pixels.to(device, model.dtype))
        values = output.predicted_depth[0].float().cpu().numpy()
        if kind == "zoedepth" and processor.do_pad:
            values = _without_padding(values, height, width)
        view = getattr(output, "field_of_view", None)
    tells = DEPTH if getattr(model.config, "depth_estimation_type", "") == "metric" else KINDS[kind]
    return Prediction(values, tells, None if view is None else float(view.reshape(-1)[0]))


def _without_padding(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """ZoeDepth's processor mirrors the picture at its borders by 3 sqrt(side / 2) pixels; that part is cut off again.

    Its own function for this needs torchvision. height, width: of the picture before padding. -> about that size.
    """
    down, right = (int(math.sqrt(side / 2) * 3) for side in (height, width))
    whole = cv2.resize(values, (width + 2 * right, height + 2 * down), interpolation=cv2.INTER_LINEAR)
    return whole[down:down + height, right:right + width]


def _on_cpu(folder: Path, kind: str, picture: np.ndarray, label: str) -> Prediction:
    try:
        return _predict(folder, kind, "cpu", picture)
    except (MemoryError, RuntimeError) as error:
        raise _explained(error, label) from error


def _memory_ran_out(error: Exception) -> bool:
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error).lower()


def _explained(error: Exception, label: str) -> Exception:
    if _memory_ran_out(error) or "allocate memory" in str(error):
        return OutOfMemory(f"There is not enough memory for {label}.", f"Close other programs and try again. {OFFER}")
    return BadDepth(f"{label} could not run on this photo: {str(error).strip().splitlines()[0]}.",
                    f"Choose another depth model. {OFFER}")


def _needs_hub() -> None:
    try:
        import huggingface_hub  # noqa: F401
    except ImportError as error:
        raise WeightsMissing("Learned depth needs the full engine, which is not installed.", INSTALL_FULL) from error
