"""Clips longer than a model is good for: pieces, each of which goes on from the end of the one before."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.finish.colour import hold, look_of, match, towards
from engine.finish.frames import Frames
from engine.finish.order import joined
from engine.finish.texture import match_sharpness
from engine.video.family import FrameRule, Sound

ANCHOR = 0.6                # how far every frame of a chained clip is brought to the still's colours


@dataclass(frozen=True)
class Chain:
    """count pieces of num_frames each; each but the first shows `overlap` frames of the one before again."""

    count: int
    num_frames: int
    overlap: int

    @property
    def total(self) -> int:
        return self.count * self.num_frames - (self.count - 1) * self.overlap


def chain(wish: int, rule: FrameRule, goes_on: bool) -> Chain:
    """wish: frames at least. goes_on: the model takes the last frames of a clip, not only its last one."""
    whole = rule.at_or_above(wish)
    if not rule.stable or whole <= rule.stable:
        return Chain(1, whole, 0)
    overlap = overlap_of(rule)
    if not goes_on or rule.stable < 3 * overlap:    # a piece must not be all overlap
        overlap = 1
    count = math.ceil((wish - overlap) / max(rule.stable - overlap, 1))
    return Chain(count, min(rule.at_or_above(math.ceil((wish - overlap) / count) + overlap), rule.stable), overlap)


def overlap_of(rule: FrameRule) -> int:
    """Frames of a clip's end that a model which takes them is shown: few, and a valid number for it."""
    return rule.at_or_above(2 * rule.multiple)


def chained(still: np.ndarray, plan: Chain, make: Callable[[int, np.ndarray, list[np.ndarray]], np.ndarray]) -> Frames:
    """Makes the pieces and joins them.

    still: (h, w, 3) uint8, of the model's size. make(number, picture, previous): (F, h, w, 3) uint8; it begins with the
    picture, and with the frames `previous`, whose last one the picture is. Each picture that a piece begins with is
    brought back to the still's colours, so that errors do not add up; at the seams colour and sharpness are matched.
    """
    wanted = look_of([still])
    parts = [Frames.of(make(0, still, []))]
    for number in range(1, plan.count):
        before = parts[-1]
        end = [before.frame(k) for k in range(before.num_frames - plan.overlap, before.num_frames)]
        own = look_of(end[-1:])
        end = [towards(picture, own, wanted, "mean", ANCHOR) for picture in end]
        part = Frames.of(make(number, end[-1], end if plan.overlap > 1 else []))
        part, _ = match(part, before, "mean", at_seam=True)
        part, _ = match_sharpness(part, parts[0], 1.0)
        parts.append(Frames.of(list(part)))
    if plan.count == 1:
        return parts[0]
    whole, _ = joined(parts, [0] + [plan.overlap] * (plan.count - 1), "gamma_cross")
    held, _ = hold(whole, Frames.of([still]), ANCHOR, plan.num_frames / 2, lambda *_: None)
    return held


def joined_sound(sounds: list[Sound | None], plan: Chain, fps: float) -> Sound | None:
    """The pieces' sounds one after the other, crossed where their pictures overlap; None where one has none."""
    kept = [sound for sound in sounds if sound is not None]
    if len(kept) < len(sounds) or not kept:
        return None
    rate, whole = kept[0].rate, kept[0].samples
    cross = round(plan.overlap / fps * rate)
    for sound in kept[1:]:
        fade = np.linspace(0, 1, cross, dtype=np.float32)
        mixed = whole[:, -cross:] * (1 - fade) + sound.samples[:, :cross] * fade if cross else whole[:, :0]
        whole = np.concatenate([whole[:, : whole.shape[1] - cross], mixed, sound.samples[:, cross:]], axis=1)
    return Sound(whole, rate)
