"""The steps by name: checked against the protocol's table, then done one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from engine.errors import BadRequest
from engine.protocol import PREVIOUS, STEPS, FinishStep

from . import colour, flicker, order, stabilise, texture
from .conform import retimed
from .frames import Frames

MOST_FRAMES = 100_000
HOLD_SECONDS = 1          # drift is slower than this, what happens in a clip is not


@dataclass
class Bench:
    """What steps need beside the frames.

    fps: of the clip to be made. seen(done, total): progress of looking through a clip; raises JobCancelled, as does
    check(), to be called within long work on one frame. open(path): the frames of a reference. warnings: sentences for
    the person. own_fps: at which the frames were recorded, None = unknown. previous: the clip before, or None.
    """

    fps: Fraction
    seen: Callable[[int, int], None]
    check: Callable[[], None]
    open: Callable[[str], Frames]
    warnings: list[str]
    own_fps: Fraction | None = None
    previous: Frames | None = None

    def reference(self, step: FinishStep) -> Frames | None:
        """What the step is to resemble, or None where nothing is named. Raises BadRequest."""
        if step.reference == PREVIOUS:
            if self.previous is None:
                raise BadRequest("The first clip has none before it.", "Name a movie or a picture as the reference.")
            return self.previous
        return self.open(step.reference) if step.reference else None

    def needed(self, step: FinishStep) -> Frames:
        """As reference(), where there has to be one."""
        found = self.reference(step)
        if found is None:
            raise BadRequest(f"The step '{step.name}' needs a reference.", "Name a movie or a picture.")
        return found


def check(steps: Sequence[FinishStep]) -> None:
    """Raises BadRequest for what no step of that name takes."""
    for step in steps:
        if step.name not in STEPS:
            raise BadRequest(f"There is no step called '{step.name}'.", f"Choose of: {', '.join(STEPS)}.")
        kind = STEPS[step.name]
        if step.method and step.method not in kind.methods:
            raise BadRequest(f"The step '{step.name}' has no method '{step.method}'.",
                             f"Choose of: {', '.join(kind.methods) or 'none'}.")
        least, most = (0, 0) if kind.frames is None else (kind.frames, MOST_FRAMES)
        if not least <= step.frames <= most:
            raise BadRequest(f"The step '{step.name}' cannot have {step.frames} frames.", f"Choose {least} to {most}.")
        if kind.amount and not (step.amount < 0 or kind.amount[1] <= step.amount <= kind.amount[2]):
            raise BadRequest(f"The amount {step.amount:g} of '{step.name}' is out of range.",
                             f"Choose {kind.amount[1]:g} to {kind.amount[2]:g}.")
        if step.reference and not kind.reference:
            raise BadRequest(f"The step '{step.name}' takes no reference.", "Leave it away.")


def amount_of(step: FinishStep) -> float:
    """The step's amount, or its own where none is given."""
    usual = STEPS[step.name].amount
    assert usual is not None
    return usual[0] if step.amount < 0 else step.amount


def method_of(step: FinishStep) -> str:
    """The step's method, the first where none is given, "" where it has none."""
    return step.method or next(iter(STEPS[step.name].methods), "")


def apply(steps: Sequence[FinishStep], frames: Frames, bench: Bench) -> tuple[Frames, list[dict[str, Any]]]:
    """The frames after all the steps, and what there is to tell of each. Raises BadRequest."""
    told: list[dict[str, Any]] = []
    for step in steps:
        frames, facts = _apply(step, frames, bench)
        if frames.num_frames > MOST_FRAMES:
            raise BadRequest(f"A clip of {frames.num_frames} frames cannot be made.", "Choose fewer frames.")
        told.append({"name": step.name, "method": method_of(step), "num_frames": frames.num_frames} | facts)
    return frames, told


def _apply(step: FinishStep, frames: Frames, bench: Bench) -> tuple[Frames, dict[str, Any]]:
    method = method_of(step)
    match step.name:
        case "conform":
            return retimed(frames, step.frames or conformed_length(frames, bench), method, bench.warnings), {}
        case "retime":
            return retimed(frames, step.frames, method, bench.warnings), {}
        case "reverse":
            return order.reverse(frames), {}
        case "ping_pong":
            return order.ping_pong(frames), {}
        case "loop":
            return order.loop(frames, step.frames, method, bench.seen)
        case "freeze_in":
            return order.freeze(frames, step.frames, 0), {}
        case "freeze_out":
            return order.freeze(frames, 0, step.frames), {}
        case "meet":
            return order.meet(frames, bench.needed(step), step.frames), {}
        case "match_colour":
            at_seam = step.reference == PREVIOUS
            return colour.match(frames, bench.needed(step), method, amount_of(step), at_seam)
        case "match_sharpness":
            return texture.match_sharpness(frames, bench.needed(step), amount_of(step))
        case "match_grain":
            return texture.match_grain(frames, bench.needed(step), amount_of(step))
        case "hold_colour":
            over = float((bench.own_fps or bench.fps) * HOLD_SECONDS)
            return colour.hold(frames, bench.reference(step), amount_of(step), over, bench.seen)
        case "deflicker":
            return flicker.deflicker(frames, method, step.frames, amount_of(step), bench.seen)
        case "stabilise":
            return stabilise.lock(frames, method, bench.warnings, bench.seen)
        case "upscale":
            from .upscale import upscaled

            return upscaled(frames, amount_of(step), method, step.reference, bench.check, bench.warnings)
        case "sharpen":
            amount = amount_of(step)
            return frames.changed(lambda _, picture: texture.sharpened(picture, amount)), {}
        case "grain":
            amount = amount_of(step)
            return frames.changed(lambda index, picture: texture.grain(picture, amount, index)), {}
    raise NotImplementedError(step.name)


def conformed_length(frames: Frames, bench: Bench) -> int:
    """Frames at the new rate for the same seconds, to the nearest, at least one."""
    return max(1, round(frames.num_frames / (bench.own_fps or bench.fps) * bench.fps))
