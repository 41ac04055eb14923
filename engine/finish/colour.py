"""Colours of one clip as those of another: mean and spread, or the whole distribution, in CIE L*a*b*."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from .frames import Frames, from_lab, lab, small

MEASURED_PX = 192           # longer side of what is measured on
SAMPLES, AT_A_SEAM = 12, 6  # frames: over a clip; on either side of a seam
QUANTILES = np.linspace(0, 1, 65)
SPREAD_LIMITS = (0.4, 2.5)  # of contrast: a flat picture has none to stretch

CURVE_LIMITS = (0.5, 2.0)   # of what a curve may lack of contrast after that


@dataclass(frozen=True)
class Look:
    """What pictures look like on the whole. mean, spread: (3,) of L, a, b. quantiles: (3, 65)."""

    mean: np.ndarray
    spread: np.ndarray
    quantiles: np.ndarray


def look_of(pictures: Iterable[np.ndarray]) -> Look:
    """Of at least one picture, all counted alike."""
    pixels = np.concatenate([lab(small(picture, MEASURED_PX)).reshape(-1, 3) for picture in pictures])
    return Look(pixels.mean(axis=0), pixels.std(axis=0), np.quantile(pixels, QUANTILES, axis=0).T)


def towards(picture: np.ndarray, own: Look, wanted: Look, method: str, amount: float = 1.0) -> np.ndarray:
    """A picture that belongs to pictures of the look `own`, brought to `wanted`. method: "mean" or "histogram".

    "mean" is Reinhard, Ashikhmin, Gooch and Shirley, "Color Transfer between Images", 2001, in L*a*b*.
    """
    values = lab(picture)
    if method == "mean":
        gain = (wanted.spread / np.maximum(own.spread, 1e-3)).clip(*SPREAD_LIMITS)
        out = (values - own.mean) * gain + wanted.mean
    else:
        out = np.stack([_mapped(values[..., k], own.quantiles[k], wanted.quantiles[k]) for k in range(3)], axis=2)
    return from_lab(values + (out - values) * amount)


def _mapped(values: np.ndarray, own: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The curve through the quantiles, nowhere so steep that noise becomes blotches; mean and spread fit nevertheless.
    It goes on in parallel at its ends."""
    rising = own + np.arange(len(own)) * 1e-4       # np.interp needs them to rise
    slopes = (np.diff(wanted) / np.diff(rising)).clip(*SPREAD_LIMITS)
    curve = np.concatenate([[0.0], np.cumsum(slopes * np.diff(rising))])
    # All quantiles count alike, so theirs are the mean and the spread of the pictures.
    gain = (wanted.std() / max(float(curve.std()), 1e-3)).clip(*CURVE_LIMITS)
    curve = (curve - curve.mean()) * gain + wanted.mean()
    inside = np.interp(values, rising, curve)
    below, above = np.minimum(values - rising[0], 0), np.maximum(values - rising[-1], 0)
    return (inside + below + above).astype(np.float32)


def match(
    frames: Frames, reference: Frames, method: str, amount: float = 1.0, at_seam: bool = False
) -> tuple[Frames, dict[str, float]]:
    """The clip with the reference's colours, one correction for all of it; and how far apart they were (Lab).

    at_seam: the reference is the clip before, and what counts is its end and this one's beginning.
    """
    if at_seam:
        count = min(AT_A_SEAM, frames.num_frames)
        first = max(reference.num_frames - AT_A_SEAM, 0)
        own = look_of(frames.frame(k) for k in range(count))
        wanted = look_of(reference.frame(k) for k in range(first, reference.num_frames))
    else:
        own, wanted = look_of(frames.sampled(SAMPLES)), look_of(reference.sampled(SAMPLES))
    matched = frames.changed(lambda _, picture: towards(picture, own, wanted, method, amount))
    after = look_of(matched.sampled(SAMPLES)) if not at_seam else look_of([matched.frame(0)])
    return matched, {"before": round(distance(own, wanted), 3), "after": round(distance(after, wanted), 3)}


def distance(one: Look, other: Look) -> float:
    """Between two looks: the distance of the means in Lab, and that of the spreads."""
    return float(np.hypot(np.linalg.norm(one.mean - other.mean), np.linalg.norm(one.spread - other.spread)))


def hold(
    frames: Frames, reference: Frames | None, amount: float, over: float, seen: Callable[[int, int], None]
) -> tuple[Frames, dict[str, float]]:
    """No drift: mean and spread of every frame as the reference's, or as the first frames'.

    over: frames over which what is measured is smoothed, so that no single frame jumps. Also the drift that was found
    and is left (Lab).
    """
    looks = []
    for index in range(frames.num_frames):
        looks.append(look_of([frames.frame(index)]))
        seen(index + 1, frames.num_frames)
    wanted = look_of((reference or frames).sampled(SAMPLES)) if reference else _mean_of(looks[:AT_A_SEAM])
    stats = np.array([[one.mean, one.spread] for one in looks])
    stats = smoothed(stats.reshape(len(looks), 6), over).reshape(-1, 2, 3)
    own = [Look(mean, spread, wanted.quantiles) for mean, spread in stats]
    held = frames.changed(lambda index, picture: towards(picture, own[index], wanted, "mean", amount))
    left = look_of([held.frame(frames.num_frames - 1)])
    return held, {"before": round(distance(looks[-1], wanted), 3), "after": round(distance(left, wanted), 3)}


def _mean_of(looks: list[Look]) -> Look:
    return Look(*(np.mean([getattr(one, name) for one in looks], axis=0) for name in ("mean", "spread", "quantiles")))


def smoothed(curve: np.ndarray, over: float) -> np.ndarray:
    """(F, N) along F by a Gaussian of that width (full, in frames); the ends keep their level."""
    sigma = over / 2.355
    if sigma < 0.1 or len(curve) < 2:
        return curve
    reach = min(int(3 * sigma) + 1, 4 * len(curve))
    padded = np.pad(curve, ((reach, reach), (0, 0)), mode="edge")
    kernel = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / sigma))
    return np.stack([np.convolve(column, kernel / kernel.sum(), mode="valid") for column in padded.T], axis=1)
