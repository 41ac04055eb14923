"""What the commands share: how sizes and numbers are read, how progress is shown, what every clip's command takes."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import uuid
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from .protocol import CLIP_FORMATS, Request

BAR_WIDTH = 30
Result = dict[str, Any]


def add_output(command: argparse.ArgumentParser, size_help: str = "cropped to it, never stretched") -> None:
    """Rate, size, format and name of the clip to be made."""
    add = command.add_argument
    add("--fps", type=Fraction, default=Fraction(24), help="such as 24 or 24000/1001 (default: 24)")
    add("--size", type=size, default=(0, 0), metavar="WxH", help=size_help)
    add("--format", choices=CLIP_FORMATS, help="default: by the name of the output")
    add("--out", required=True, metavar="CLIP.mp4|FOLDER/")


def output_of(options: argparse.Namespace) -> dict[str, Any]:
    """What add_output() took, as fields of a request. Raises BadRequest for an ending that no clip has."""
    from .media.clip import format_of

    width, height = options.size
    return {
        "output": options.out,
        "fps": (options.fps.numerator, options.fps.denominator),
        "width": width,
        "height": height,
        "clip_format": options.format or format_of(options.out),
    }


def frames_of(options: argparse.Namespace, least: int = 1) -> int:
    """--seconds at --fps as a number of frames."""
    return max(least, round(options.seconds * options.fps))


def run_request(options: argparse.Namespace, request: Request) -> Result:
    """Does the job and shows its progress and warnings. Raises a DioramaError or JobCancelled."""
    from .jobs import run_job

    result = run_job(uuid.uuid4().hex, request, reporter(options.json), watch_ctrl_c())
    for warning in result["warnings"]:
        tell(warning)
    return result


def numbers(count: int) -> Callable[[str], tuple[float, ...]]:
    """A parser of `count` numbers with commas between them."""

    def parse(text: str) -> tuple[float, ...]:
        values = tuple(float(part) for part in text.split(","))
        if len(values) != count:
            raise argparse.ArgumentTypeError(f"{count} numbers with commas between them are needed, not '{text}'")
        return values

    return parse


def size(text: str) -> tuple[int, int]:
    """ "1920x1080" -> (1920, 1080)."""
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"a size such as 1920x1080 is needed, not '{text}'")
    return int(width), int(height)


def tell(text: str) -> None:
    print(text, file=sys.stderr)


def reporter(as_json: bool) -> Callable[..., None]:
    """Shows progress: JSON lines, or a bar where stderr is a terminal."""

    def report(stage: str, done: int, total: int, preview: str = "") -> None:
        if as_json:
            step = {"type": "progress", "stage": stage, "done": done, "total": total}
            print(json.dumps(step | ({"preview": preview} if preview else {})), flush=True)
        elif sys.stderr.isatty():
            filled = BAR_WIDTH * done // total
            print(
                f"\r{stage:>8} [{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {done}/{total} ",
                end="\n" if done == total else "",
                file=sys.stderr,
                flush=True,
            )

    return report


def watch_ctrl_c() -> Callable[[], bool]:
    """Whether Ctrl-C was pressed: the job asks between two steps. Raised inside compiled code, an interrupt could not
    be told from a fault. A second Ctrl-C stops at once.
    """
    pressed: list[int] = []

    def note(number: int, _frame: object) -> None:
        pressed.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:      # not where a shell ignores it
        signal.signal(signal.SIGINT, note)
    return lambda: bool(pressed)
