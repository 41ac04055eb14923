"""Larger frames: Real-ESRGAN through ncnn, on a graphics card by Vulkan or on the CPU; or a model of transformers.

Wang, Xie, Dong and Shan, "Real-ESRGAN", ICCVW 2021. The networks are convolutions only: tiles with an overlap give the
same picture as the whole, in little memory.
"""

# torch and transformers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.errors import BadRequest, WeightsMissing
from engine.weights import installed_weights

from .frames import Frames

Enlarge = Callable[[np.ndarray], np.ndarray]        # (h, w, 3) uint8 -> (h * factor, w * factor, 3) uint8

TILE, OVERLAP = 256, 16         # pixels of the small picture
SLOW_TILE = 96                  # where a tile takes seconds, so that a cancel is heard in between
# method -> what its networks enlarge by -> names of their files
NETWORKS = {
    "video": {2: ("realesr-video-x2", "realesr-video"), 4: ("realesr-video-x4", "realesr-video")},
    "photo": {4: ("realesr-photo-x4", "realesr-photo")},
}
SOFTWARE = 3                    # ncnn's number for a Vulkan that is no card, slower than the CPU itself
WINDOW = 8                      # Swin2SR's; sides must be multiples


def upscaled(
    frames: Frames, factor: float, method: str, folder: str, check: Callable[[], None], warnings: list[str]
) -> tuple[Frames, dict[str, Any]]:
    """factor: 2 .. 4 of the size; what the network makes is brought to it. folder: of a model of transformers, or "".

    check: called between tiles; may raise. Also the name of the device. Raises WeightsMissing, BadRequest.
    """
    made, enlarge, device = _by_folder(folder) if folder else _by_ncnn(factor, method)
    tile = SLOW_TILE if device == "CPU" and (folder or method != "video") else TILE
    if device == "CPU":
        warnings.append("The upscaler ran on the CPU, as no graphics card was found that it can use; that is slow.")
    width, height = round(frames.width * factor), round(frames.height * factor)

    def read(index: int) -> np.ndarray:
        large = in_tiles(frames.frame(index), tile, made, enlarge, check)
        if large.shape[:2] == (height, width):
            return large
        shrinks = large.shape[1] > width
        return cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)

    return Frames(frames.num_frames, width, height, read), {"device": device, "factor": factor}


def in_tiles(
    picture: np.ndarray, size: int, factor: int, enlarge: Enlarge, check: Callable[[], None]
) -> np.ndarray:
    """The whole picture, by tiles of that size; each is given OVERLAP pixels around it, which are cut off again."""
    height, width = picture.shape[:2]
    padded = cv2.copyMakeBorder(picture, OVERLAP, OVERLAP, OVERLAP, OVERLAP, cv2.BORDER_REFLECT_101
                                if min(height, width) > OVERLAP else cv2.BORDER_REPLICATE)
    out = np.empty((height * factor, width * factor, 3), np.uint8)
    for top in range(0, height, size):
        for left in range(0, width, size):
            check()
            down, across = min(size, height - top), min(size, width - left)
            tile = enlarge(padded[top:top + down + 2 * OVERLAP, left:left + across + 2 * OVERLAP])
            edge = OVERLAP * factor
            out[top * factor:(top + down) * factor, left * factor:(left + across) * factor] = tile[
                edge:edge + down * factor, edge:edge + across * factor]
    return out


def _by_ncnn(factor: float, method: str) -> tuple[int, Enlarge, str]:
    """The smallest network that makes at least that factor."""
    ncnn: Any = importlib.import_module("ncnn")        # it has no types
    made = min(each for each in NETWORKS[method] if each >= factor)
    shape, weights = (str(installed_weights(name)) for name in NETWORKS[method][made])
    network = ncnn.Net()
    info = ncnn.get_gpu_info(ncnn.get_default_gpu_index()) if ncnn.get_gpu_count() else None
    card = info is not None and info.type() != SOFTWARE
    network.opt.use_vulkan_compute = card
    if network.load_param(shape) or network.load_model(weights):
        raise WeightsMissing("The upscaler's network could not be loaded.", "Press Repair in Diorama's preferences.")

    def enlarge(picture: np.ndarray) -> np.ndarray:
        extractor = network.create_extractor()
        height, width = picture.shape[:2]
        pixels = ncnn.Mat.from_pixels(np.ascontiguousarray(picture), ncnn.Mat.PixelType.PIXEL_RGB, width, height)
        pixels.substract_mean_normalize([], [1 / 255] * 3)
        extractor.input("data", pixels)
        _, answer = extractor.extract("output")
        return np.rint(np.array(answer).transpose(1, 2, 0) * 255).clip(0, 255).astype(np.uint8)

    return made, enlarge, info.device_name() if info is not None and card else "CPU"


def _by_folder(folder: str) -> tuple[int, Enlarge, str]:
    """A super-resolution model of transformers (Swin2SR) in a folder. Its weights must be safetensors."""
    try:
        import torch
        from safetensors import SafetensorError
        from transformers import Swin2SRForImageSuperResolution
    except ImportError as error:
        raise WeightsMissing("Upscaling by a model of your own needs the full engine.",
                             "Choose Full in Diorama's preferences, or the upscaler that is installed.") from error
    if not (Path(folder) / "config.json").is_file():
        raise BadRequest(f'"{Path(folder).name}" is no folder of a model.', "Choose the folder that holds config.json.")
    try:
        model = Swin2SRForImageSuperResolution.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise BadRequest(f'The model in "{Path(folder).name}" is no Swin2SR model that can be read.',
                         "Choose a folder with config.json and model.safetensors.") from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.eval().to(device)
    factor = int(model.config.upscale)

    def enlarge(picture: np.ndarray) -> np.ndarray:
        height, width = picture.shape[:2]
        padded = cv2.copyMakeBorder(picture, 0, -height % WINDOW, 0, -width % WINDOW, cv2.BORDER_REFLECT)
        with torch.inference_mode():
            pixels = torch.from_numpy(padded).to(device).permute(2, 0, 1)[None].float() / 255
            answer = model(pixel_values=pixels).reconstruction[0, :, : height * factor, : width * factor]
            return (answer.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()

    return factor, enlarge, torch.cuda.get_device_name() if device == "cuda" else "CPU"
