"""The commands of `python -m engine`. People's text goes to stderr; with --json each line on stdout is one JSON object.

Exit status: 0 done, 2 wrong usage, 3 bad input, 4 engine failure, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Callable, Sequence

from .camera import CYCLES, EASINGS, MOVES
from .cli_animate import add_animate, run_animate
from .cli_common import Result, add_output, frames_of, numbers, output_of, run_request, tell
from .cli_finish import add_clip_commands
from .cli_models import add_models, run_models
from .cli_stills import add_fill, add_still_commands
from .errors import DioramaError, JobCancelled
from .protocol import CameraMoveRequest, DepthSettings, LensSettings, MoveSettings

NO_POINT = (-1.0, -1.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        result = options.run(options)
    except (KeyboardInterrupt, JobCancelled):
        print("\nStopped.", file=sys.stderr)
        return 130
    except DioramaError as error:
        return fail(options, error.exit_status, error.kind, error.message, error.remedy)
    except MemoryError:
        return fail(
            options,
            4,
            "out_of_memory",
            "The machine ran out of memory.",
            "Choose a smaller size or close other programs.",
        )
    except Exception as error:
        # The last resort of a program's outermost door: the fault is shown whole, and the status says so.
        traceback.print_exc()
        return fail(
            options,
            4,
            "internal_error",
            f"Diorama met a fault of its own ({type(error).__name__}).",
            "Please report it with the lines above.",
        )
    if isinstance(result, int):
        return result
    if options.json:
        print(json.dumps({"type": "result", **result}), flush=True)
    return 0


def fail(options: argparse.Namespace, status: int, kind: str, message: str, remedy: str) -> int:
    """Tells an error in the way that was asked for; the exit status."""
    if options.json:
        print(json.dumps({"type": "error", "kind": kind, "message": message, "remedy": remedy}), flush=True)
    print(f"{message} {remedy}", file=sys.stderr)
    return status


# ------------------------------------------------------------------ commands


def run_camera_move(options: argparse.Namespace) -> Result:
    request = CameraMoveRequest(
        image=options.image,
        num_frames=frames_of(options),
        **output_of(options),
        move=MoveSettings(
            name=options.move,
            amount=MOVES[options.move].default if options.amount is None else options.amount,
            easing=options.easing,
            cycle=options.cycle,
            pivot=options.pivot,
            crop_from=options.crop_from,
            crop_to=options.crop_to,
            seed=options.seed,
            pivot_point=options.pivot_point,
        ),
        depth=DepthSettings(
            model=options.depth_model,
            picture=options.depth_picture,
            near_is_bright=not options.near_is_dark,
            near=options.near,
            far=options.far,
            gamma=options.gamma,
            invert=options.invert,
            correction=options.correction,
        ),
        lens=LensSettings(options.f_stop, options.focus, options.focus_point, options.vignette),
        fill=options.fill,
    )
    result = run_request(options, request)
    tell(f"{result['depth_label']} depth, {result['num_frames']} frames: {result['clip']}")
    return result


def run_check_photo(options: argparse.Namespace) -> Result:
    from .media.still import check_photo

    facts = check_photo(options.image)
    for name, value in facts.items():
        tell(f"{name:>12}: {'; '.join(value) or 'none' if isinstance(value, list) else value}")
    return facts


def run_doctor(options: argparse.Namespace) -> Result:
    from .doctor import examine

    del options
    report = examine()
    for check in report["checks"]:
        tell(
            f"{'ok  ' if check['ok'] else 'FAIL'} {check['name']}: {check['found']} {check['remedy']}".rstrip()
        )
    if not report["ok"]:
        raise_unwell(report)
    return report


def raise_unwell(report: Result) -> None:
    from .errors import EngineFailure

    bad = [check["name"] for check in report["checks"] if not check["ok"]]
    raise EngineFailure(
        f"The engine is not complete: {', '.join(bad)}.", "Repair the engine from Diorama's preferences."
    )


def run_serve(options: argparse.Namespace) -> int:
    from .server import serve

    del options
    return serve()


# ------------------------------------------------------------------ arguments


def build_parser() -> argparse.ArgumentParser:
    """The command line of DESIGN's contract."""
    parser = argparse.ArgumentParser(
        prog="python -m engine", description="Diorama's engine: stills become moving clips."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(
        name: str, run: Callable[[argparse.Namespace], Result | int], text: str, image: bool = True
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        command.add_argument("--json", action="store_true", help="one JSON object a line on stdout")
        if image:
            command.add_argument("image", metavar="IMAGE")
        return command

    add_still_commands(add)
    add_camera_move(add("camera-move", run_camera_move, "Make a clip that moves through a still's depth."))
    add_animate(add("animate", run_animate, "Make a clip of a still with an image-to-video model."))
    add_clip_commands(add)
    add_models(add("models", run_models, "List, download or remove models.", image=False))
    add("check-photo", run_check_photo, "Say what a photo is and what to watch for.")
    add("doctor", run_doctor, "Check that the engine is complete.", image=False)
    add("serve", run_serve, "Talk to Blender on stdin and stdout.", image=False)
    return parser


def add_camera_move(command: argparse.ArgumentParser) -> None:
    command.add_argument("--move", default="push_in", type=lambda name: name.replace("-", "_"), choices=list(MOVES))
    command.add_argument("--amount", type=float, help="a share of the frame (default: the move's own)")
    command.add_argument("--seconds", type=float, default=4.0)
    command.add_argument("--easing", default="ease_in_out", choices=list(EASINGS))
    command.add_argument("--cycle", default="once", choices=list(CYCLES))
    command.add_argument(
        "--pivot", type=float, default=-1.0, help="0 farthest .. 1 nearest; default: the middle of the picture"
    )
    command.add_argument(
        "--pivot-point", type=numbers(2), default=NO_POINT, metavar="x,y", help="what keeps its place, as shares"
    )
    command.add_argument("--crop-from", type=numbers(4), default=(0.0, 0.0, 1.0, 1.0), metavar="x,y,w,h")
    command.add_argument("--crop-to", type=numbers(4), default=(0.1, 0.1, 0.8, 0.8), metavar="x,y,w,h")
    command.add_argument("--seed", type=int, default=0, help="of the move 'handheld'")
    command.add_argument("--depth-model", default="draft")
    command.add_argument(
        "--depth-picture", default="", metavar="FILE", help="a depth picture or .npy in place of a model"
    )
    command.add_argument("--near-is-dark", action="store_true", help="in that picture, dark is near")
    command.add_argument("--near", type=float, default=1.0, help="relative disparity that becomes nearest (default: 1)")
    command.add_argument("--far", type=float, default=0.0, help="relative disparity that becomes farthest (default: 0)")
    command.add_argument("--gamma", type=float, default=1.0, help="above 1 pushes the middle away")
    command.add_argument("--invert", action="store_true", help="near becomes far")
    command.add_argument(
        "--correction", default="", metavar="FILE", help="a paint-over: where opaque it replaces the depth"
    )
    command.add_argument("--f-stop", type=float, default=0.0, help="depth of field; 0 = everything is sharp (default)")
    command.add_argument("--focus", type=float, default=-1.0, help="0 farthest .. 1 nearest; default: the pivot")
    command.add_argument(
        "--focus-point", type=numbers(2), default=NO_POINT, metavar="x,y", help="what is in focus; shares of the photo"
    )
    command.add_argument("--vignette", type=float, default=0.0, help="0 none .. 1: how much darker the corners are")
    add_fill(command)
    add_output(command, "the photo is cropped to this aspect, never stretched")
