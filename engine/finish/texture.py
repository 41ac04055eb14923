"""Sharpness and grain: added, measured, and matched."""

from __future__ import annotations

import cv2
import numpy as np

from .frames import Frames

RADIUS = 1.2                    # pixels: what counts as an edge's crispness
COARSE = 4.0
SOFTEST, SHARPEST = -0.95, 3.0
SAMPLES = 5
GRAIN_SIZE = 0.6                # pixels


def sharpened(picture: np.ndarray, amount: float) -> np.ndarray:
    """Unsharp mask; below 0 it softens, -1 = blurred by RADIUS."""
    blurred = cv2.GaussianBlur(picture, (0, 0), RADIUS)
    return cv2.addWeighted(picture, 1 + amount, blurred, -amount, 0)


def crispness(pictures: list[np.ndarray]) -> float:
    """How strong fine detail is beside coarser detail, so that what a picture shows counts little."""
    values = []
    for picture in pictures:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        middle = cv2.GaussianBlur(grey, (0, 0), RADIUS)
        fine, coarse = grey - middle, middle - cv2.GaussianBlur(grey, (0, 0), COARSE)
        values.append(float(fine.std()) / max(float(coarse.std()), 1e-3))
    return float(np.mean(values))


def match_sharpness(frames: Frames, reference: Frames, amount: float) -> tuple[Frames, dict[str, float]]:
    """As crisp as the reference, as far as an unsharp mask or a blur can do it; the crispness of both, and after."""
    wanted, own = crispness(reference.sampled(SAMPLES)), frames.sampled(SAMPLES)
    before = crispness(own)
    low, high = SOFTEST, SHARPEST
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if crispness([sharpened(p, middle) for p in own]) < wanted else (low, middle)
    strength = (low + high) / 2 * amount
    after = crispness([sharpened(picture, strength) for picture in own])
    facts = {"before": round(before, 4), "after": round(after, 4), "reference": round(wanted, 4)}
    return frames.changed(lambda _, picture: sharpened(picture, strength)), facts


def grain(picture: np.ndarray, deviation: float, number: int) -> np.ndarray:
    """Grey noise of that deviation in 8-bit levels, less in the blacks and whites as film has it. The same frame number
    gives the same grain."""
    if deviation <= 0:
        return picture
    noise = np.random.default_rng(number).standard_normal(picture.shape[:2], np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), GRAIN_SIZE)
    level = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    noise *= deviation / noise.std() * (0.4 + 2.4 * level * (1 - level))
    return np.rint(picture + noise[..., None]).clip(0, 255).astype(np.uint8)


def grain_of(pictures: list[np.ndarray]) -> float:
    """Deviation of the noise, 8-bit levels, measured where the pictures are smooth.

    After J. Immerkaer, "Fast Noise Variance Estimation", 1996: a mask that slopes and soft edges do not answer to.
    """
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    values = []
    for picture in pictures:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        answer = cv2.filter2D(grey, -1, mask)
        smooth = cv2.GaussianBlur(grey, (0, 0), 2)
        slope = np.hypot(cv2.Sobel(smooth, -1, 1, 0), cv2.Sobel(smooth, -1, 0, 1))
        exposed = (smooth > 16) & (smooth < 240)
        if not exposed.any():
            continue
        calm = exposed & (slope <= np.quantile(slope[exposed], 0.4))
        values.append(float(np.median(np.abs(answer[calm]))) / 0.6745 / 6)
    return float(np.median(values)) if values else 0.0


def match_grain(frames: Frames, reference: Frames, amount: float) -> tuple[Frames, dict[str, float]]:
    """Grain is added until there is as much as in the reference; none is taken away."""
    wanted, own = grain_of(reference.sampled(SAMPLES)), frames.sampled(SAMPLES)
    before = grain_of(own)
    # The same measure answers less to our softer grain than to noise of single pixels, so the strength is searched for.
    low, high = 0.0, 40.0
    for _ in range(10):
        middle = (low + high) / 2
        measured = grain_of([grain(picture, middle, k) for k, picture in enumerate(own)])
        low, high = (middle, high) if measured < wanted else (low, middle)
    strength = (low + high) / 2 * amount if before < wanted else 0.0
    after = grain_of([grain(picture, strength, k) for k, picture in enumerate(own)])
    facts = {"before": round(before, 3), "after": round(after, 3), "reference": round(wanted, 3)}
    return frames.changed(lambda index, picture: grain(picture, strength, index)), facts
