"""`python -m engine finish`, `inspect` and `bridge`: clips that are there already, and the way from still to still."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from .cli_common import Result, add_output, frames_of, output_of, run_request, tell
from .protocol import (
    BRIDGES,
    FADES,
    PREVIOUS,
    STEPS,
    BridgeRequest,
    ClipPart,
    DepthSettings,
    FinishRequest,
    FinishStep,
    InspectRequest,
    Request,
)

Run = Callable[[argparse.Namespace], Result]


def add_clip_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """The three commands. add: as in cli.build_parser."""

    def job(request_of: Callable[[argparse.Namespace], Request], show: Callable[[Result], None]) -> Run:
        def run(options: argparse.Namespace) -> Result:
            result = run_request(options, request_of(options))
            show(result)
            return result

        return run

    finish = add("finish", job(finish_request, tell_clip), "Make one clip of clips: steps, joins, steps.", image=False)
    finish.formatter_class = argparse.RawDescriptionHelpFormatter
    finish.epilog = "steps:\n" + "\n".join(f"  {name:16} {kind.description}" for name, kind in STEPS.items())
    finish.add_argument("clips", nargs="+", type=part, metavar="CLIP[@FIRST+COUNT]",
                        help="a movie, a picture or a folder of pictures, perhaps a part of it: shot.mp4@12+48")
    finish.add_argument("--step", action="append", default=[], type=step, metavar="NAME[,KEY=VALUE ...]",
                        help="such as loop,frames=12 or conform,method=flow; repeat for more")
    finish.add_argument("--overlap", type=int, default=0, help="frames that each clip shares with the one before")
    finish.add_argument("--match", action="append", default=[], type=step, metavar="NAME[,KEY=VALUE ...]",
                        help=f"a step for every clip but the first, such as match_colour,reference={PREVIOUS}")
    finish.add_argument("--fade", default=FADES[0], choices=FADES)
    add_output(finish)

    inspect = add("inspect", job(inspect_request, tell_facts), "Say what clips are and how they meet.", image=False)
    inspect.add_argument("clips", nargs="+", type=part, metavar="CLIP[@FIRST+COUNT]")
    inspect.add_argument("--reference", type=int, default=0, help="the clip whose colours count, from 0 (default: 0)")

    bridge = add("bridge", job(bridge_request, tell_clip), "Make a way from one still into the next.")
    bridge.add_argument("last_image", metavar="LAST_IMAGE")
    bridge.add_argument("--method", default=BRIDGES[0], choices=BRIDGES)
    bridge.add_argument("--amount", type=float, default=0.4, help="0..1: how far the camera travels")
    bridge.add_argument("--seconds", type=float, default=1.5)
    bridge.add_argument("--depth-model", default="draft")
    add_output(bridge)


def finish_request(options: argparse.Namespace) -> FinishRequest:
    first, *others = options.clips
    joined = [ClipPart(other.path, other.first, other.count, options.overlap, tuple(options.match)) for other in others]
    return FinishRequest(
        parts=(first, *joined), steps=tuple(options.step), fade=options.fade, **output_of(options)
    )


def inspect_request(options: argparse.Namespace) -> InspectRequest:
    return InspectRequest(tuple(options.clips), options.reference)


def bridge_request(options: argparse.Namespace) -> BridgeRequest:
    return BridgeRequest(
        image=options.image,
        last_image=options.last_image,
        num_frames=frames_of(options, least=2),
        method=options.method,
        amount=options.amount,
        depth=DepthSettings(model=options.depth_model),
        **output_of(options),
    )


def part(text: str) -> ClipPart:
    """ "shot.mp4@12+48" -> 48 frames from frame 12 on; without a number all of it."""
    path, mark, numbers = text.rpartition("@")
    first, plus, count = numbers.partition("+")
    if not mark or not first.isdigit() or (plus and not count.isdigit()):
        return ClipPart(text)
    return ClipPart(path, int(first), int(count or 0))


def step(text: str) -> FinishStep:
    """ "loop,frames=12" -> the step. What it means is checked by the job."""
    name, *pairs = text.split(",")
    kinds: dict[str, type] = {"method": str, "frames": int, "amount": float, "reference": str}
    values: dict[str, Any] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        if key not in kinds:
            raise argparse.ArgumentTypeError(f"a step has {', '.join(kinds)}, not '{key}'")
        values[key] = kinds[key](value)
    return FinishStep(name, **values)


def tell_clip(result: Result) -> None:
    tell(f"{result['num_frames']} frames: {result['clip']}")


def tell_facts(result: Result) -> None:
    for kind in ("clips", "seams", "colour"):
        for number, facts in enumerate(result[kind]):
            tell(f"{kind} {number}: {json.dumps(facts)}")
