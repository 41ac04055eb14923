"""The order of frames: backwards, there and back, at rest, without a seam, one clip after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from engine.errors import BadRequest

from .frames import Frames, fitted, mixed, step_between


def reverse(frames: Frames) -> Frames:
    """Backwards."""
    return frames.in_order(range(frames.num_frames - 1, -1, -1))


def ping_pong(frames: Frames) -> Frames:
    """There and back. The ends are shown once each, so that a repetition shows none of them twice."""
    there = list(range(frames.num_frames))
    return frames.in_order(there + there[-2:0:-1])


def freeze(frames: Frames, before: int, after: int) -> Frames:
    """The first and the last frame stand still for so many frames more."""
    last = frames.num_frames - 1
    return frames.in_order([0] * before + list(range(frames.num_frames)) + [last] * after)


def smooth(share: float) -> float:
    """0 .. 1 with rest at both ends."""
    return share * share * (3 - 2 * share)


def loop(frames: Frames, length: int, fade: str, seen: Callable[[int, int], None]) -> tuple[Frames, dict[str, float]]:
    """The last `length` frames fade into the first ones; shorter by as many, and what follows the last frame is the
    first. Also the differences that were measured: over the seam, and between neighbours on average (Lab).

    The seam lies where the difference is no larger than that average, as near to the clip's own beginning as it can.
    seen: told how many of how many frames were looked at. Raises BadRequest for a clip that is too short.
    """
    count = frames.num_frames - length
    if count < length or count < 2:
        raise BadRequest(f"A clip of {frames.num_frames} frames is too short for a loop with {length} frames of fade.",
                         "Choose a shorter fade or a longer clip.")

    def read(index: int) -> np.ndarray:
        tail = index - (count - length)         # place within the fade, which lies at the end
        if tail < 0:
            return frames.frame(index + length)
        return mixed(frames.frame(index + length), frames.frame(tail), smooth((tail + 1) / (length + 1)), fade)

    whole = Frames(count, frames.width, frames.height, read)
    steps: list[float] = []
    previous = first = whole.frame(0)
    for index in range(1, count + 1):
        current = whole.frame(index) if index < count else first
        steps.append(step_between(previous, current))
        previous = current
        seen(index, count)
    usual = sum(steps) / count                  # steps[k]: from frame k to the next
    fitting = [k for k in range(count) if steps[k] <= usual]
    last = min(fitting, key=lambda k: min(k + 1, count - 1 - k))
    order = [(last + 1 + k) % count for k in range(count)]
    return whole.in_order(order), {"seam": round(steps[last], 4), "usual": round(usual, 4)}


def meet(frames: Frames, reference: Frames, length: int) -> Frames:
    """The first frame is the reference's first; the difference between the two fades out over the next `length` frames.

    Nothing stands still and no motion is seen twice, as it would be in a fade: only the difference stands.
    """
    wanted = fitted(reference.frame(0), frames.width, frames.height)
    difference = wanted.astype(np.float32) - frames.frame(0)

    def change(index: int, picture: np.ndarray) -> np.ndarray:
        if index >= length:
            return picture
        return np.rint(picture + difference * (1 - smooth(index / length))).clip(0, 255).astype(np.uint8)

    return frames.changed(change)


def joined(parts: Sequence[Frames], overlaps: Sequence[int], fade: str) -> tuple[Frames, list[int]]:
    """Clips one after the other, and for each but the first the frame at which it is first seen alone.

    overlaps: for each part, how many of its first frames are mixed with the last ones before it; the first is 0.
    Raises BadRequest where a part is too short for its overlaps.
    """
    starts: list[int] = []
    end = 0
    for index, (part, overlap) in enumerate(zip(parts, overlaps, strict=True)):
        after = overlaps[index + 1] if index + 1 < len(parts) else 0
        if overlap + after > part.num_frames or overlap > end:
            raise BadRequest(f"Clip {index + 1} is too short to overlap with its neighbours by so much.",
                             "Choose a shorter overlap or longer clips.")
        starts.append(end - overlap)
        end = starts[-1] + part.num_frames

    def read(index: int) -> np.ndarray:
        number = max(k for k, start in enumerate(starts) if start <= index)
        place = index - starts[number]
        picture = parts[number].frame(place)
        if place >= overlaps[number]:
            return picture
        before = parts[number - 1].frame(index - starts[number - 1])
        return mixed(before, picture, (place + 1) / (overlaps[number] + 1), fade)

    alone = [start + overlap for start, overlap in zip(starts, overlaps, strict=True)]
    return Frames(end, parts[0].width, parts[0].height, read), alone[1:]
