"""What stands out in a photo: U2-Net-p, a small saliency network that runs on the CPU."""

from __future__ import annotations

import functools
from typing import Any

import cv2
import numpy as np

from engine.errors import OutOfMemory, WeightsMissing
from engine.weights import installed_weights

SIDE = 320                              # the network was trained on squares of this size
MEAN = np.array((0.485, 0.456, 0.406), np.float32)
DEVIATION = np.array((0.229, 0.224, 0.225), np.float32)
FLAT = 0.15                             # a response whose range is smaller than this shows no object at all


@functools.cache
def _session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3      # its warnings about unused initialisers are no use to anyone
    path = installed_weights("u2netp")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:          # onnxruntime raises its own classes, which it does not export
        raise WeightsMissing(f"The network file {path.name} could not be loaded: {error}.",
                             "Press Repair in Diorama's preferences, or install the engine again.") from error


def saliency(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 sRGB -> (320, 320) float32, 0 = surroundings .. 1 = the object; squeezed to a square as trained.

    A picture in which nothing stands out gives zeros. Raises WeightsMissing, OutOfMemory.
    """
    shrinks = max(rgb.shape[:2]) > SIDE
    square = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    values = square.astype(np.float32) / max(int(square.max()), 1)
    values = ((values - MEAN) / DEVIATION).transpose(2, 0, 1)[None]
    session = _session()
    try:
        response = session.run([session.get_outputs()[0].name], {session.get_inputs()[0].name: values})[0][0, 0]
    except MemoryError as error:
        raise OutOfMemory("There was not enough memory to look for the subject of the photo.",
                          "Close other programs and try again.") from error
    low, high = float(response.min()), float(response.max())
    if not np.isfinite(high - low) or high - low < FLAT:
        return np.zeros((SIDE, SIDE), np.float32)
    return ((response - low) / (high - low)).astype(np.float32)
