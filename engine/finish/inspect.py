"""What clips are and how they meet: repeated and missing frames, steps at seams, colours. Data, no pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np

from .between import is_cut
from .colour import AT_A_SEAM, SPREAD_LIMITS, distance, look_of
from .frames import Frames, lab, small

THUMB_PX = 256
SAME = 0.12             # Lab: what encoding alone changes between two copies of a frame
REPEAT_SHARE = 0.12     # of the usual difference: less is a frame shown again
JUMP_SHARE = 1.7        # of the usual motion: more means that a frame is missing
JUMP_PX = 0.4           # of the thumbnail, and more than that
NEAR = 6                # frames on either side that tell what is usual


class Eye:
    """Sees how one frame follows another."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def between(self, a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
        """Two thumbnails, (H, W, 3) uint8 -> mean distance in Lab, and mean motion in pixels, NaN across a cut."""
        if a.shape != b.shape:
            b = cv2.resize(b, a.shape[1::-1], interpolation=cv2.INTER_AREA)
        step = float(np.linalg.norm(lab(a) - lab(b), axis=2).mean())
        if is_cut(a, b):
            return step, float("nan")
        if min(a.shape[:2]) < 16:       # below the patches of the method
            return step, 0.0
        one, two = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in (a, b))
        flow = self._flow.calc(one, two, np.zeros((*one.shape, 2), np.float32))
        return step, float(np.linalg.norm(flow, axis=2).mean())

    def along(self, frames: Frames, seen: Callable[[int, int], None]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(F - 1, 2) from each frame to the next; the first and the last thumbnail."""
        first = previous = small(frames.frame(0), THUMB_PX)
        found: list[tuple[float, float]] = []
        for index in range(1, frames.num_frames):
            current = small(frames.frame(index), THUMB_PX)
            found.append(self.between(previous, current))
            previous = current
            seen(index, frames.num_frames - 1)
        return np.array(found).reshape(-1, 2), first, previous


def usual(values: np.ndarray) -> float:
    """The median of what is known, 0 where nothing is."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else 0.0


def is_repeat(step: float, normal: float) -> bool:
    """Whether a frame is shown again: no difference where there usually is one. A still picture repeats nothing."""
    return normal > 2 * SAME and step < max(SAME, REPEAT_SHARE * normal)


def is_jump(motion: float, normal: float, beside: np.ndarray) -> bool:
    """Whether frames are missing: more motion than usual, and more than right before and after, where it may grow."""
    most = max(normal, float(np.nanmax(beside)) if np.isfinite(beside).any() else 0.0)
    return motion > JUMP_SHARE * most and motion > most + JUMP_PX


def repeats_and_jumps(found: np.ndarray) -> tuple[list[int], list[int]]:
    """Frames that show the one before again, and frames before which some are missing. found: as of Eye.along()."""
    repeats, jumps = [], []
    for index, (step, motion) in enumerate(found):
        around = np.r_[found[max(index - NEAR, 0):index], found[index + 1:index + 1 + NEAR]]
        beside = np.r_[found[max(index - 1, 0):index], found[index + 1:index + 2]]
        if is_repeat(step, usual(around[:, 0])):
            repeats.append(index + 1)
        elif is_jump(motion, usual(around[:, 1]), beside[:, 1]):
            jumps.append(index + 1)
    return repeats, jumps


def inspect(
    clips: Sequence[Frames], reference: int, seen: Callable[[int, int], None]
) -> dict[str, list[dict[str, Any]]]:
    """{"clips", "seams", "colour"}, as docs/protocol.md describes them. seen: frames looked at, of all."""
    eye, total, before = Eye(), sum(clip.num_frames for clip in clips), 0
    facts: list[dict[str, Any]] = []
    looked: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for clip in clips:
        looked.append(eye.along(clip, lambda done, _, before=before: seen(before + done, total)))
        repeats, jumps = repeats_and_jumps(looked[-1][0])
        facts.append({"repeats": repeats, "jumps": jumps})
        before += clip.num_frames
    seams: list[dict[str, Any]] = []
    for part in range(1, len(clips)):
        (earlier, _, end), (later, start, _) = looked[part - 1], looked[part]
        step, motion = eye.between(end, start)
        around = np.r_[earlier[-NEAR:], later[:NEAR]]
        seams.append({
            "part": part,
            "step": round(step, 3),
            "usual": round(usual(around[:, 0]), 3),
            "colour": round(distance(look_of([end]), look_of([start])), 3),
            "cut": bool(np.isnan(motion)),
            "repeat": is_repeat(step, usual(around[:, 0])),
            "jump": is_jump(motion, usual(around[:, 1]), np.r_[earlier[-1:], later[:1]][:, 1]),
        })
    looks = [look_of(clip.sampled(AT_A_SEAM)) for clip in clips]
    colours = [_gains(clip, clips[reference], distance(look, looks[reference])) for clip, look in
               zip(clips, looks, strict=True)]
    return {"clips": facts, "seams": seams, "colour": colours}


def _gains(clip: Frames, reference: Frames, before: float) -> dict[str, Any]:
    """slope and offset a channel on sRGB values 0 .. 1, which a colour balance of a strip can express."""
    pictures = [small(picture, THUMB_PX) for picture in clip.sampled(AT_A_SEAM)]
    own = np.concatenate([picture.reshape(-1, 3) for picture in pictures]) / 255
    wanted = np.concatenate([small(p, THUMB_PX).reshape(-1, 3) for p in reference.sampled(AT_A_SEAM)]) / 255
    slope = (wanted.std(axis=0) / np.maximum(own.std(axis=0), 1e-3)).clip(*SPREAD_LIMITS)
    offset = wanted.mean(axis=0) - slope * own.mean(axis=0)
    after = look_of(np.rint((p / 255 * slope + offset).clip(0, 1) * 255).astype(np.uint8) for p in pictures)
    return {"slope": slope.round(5).tolist(), "offset": offset.round(5).tolist(), "step_before": round(before, 3),
            "step_after": round(distance(after, look_of(reference.sampled(AT_A_SEAM))), 3)}
