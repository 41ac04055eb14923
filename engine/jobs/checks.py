"""What every request for a clip must keep to, whatever makes the clip."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import BadRequest
from ..protocol import CLIP_FORMATS, BridgeRequest, CameraMoveRequest, FinishRequest, GenerateRequest, PathRequest

MAX_FRAMES = 100_000
MAX_SIDE = 16384


def check_clip(
    request: CameraMoveRequest | PathRequest | GenerateRequest | FinishRequest | BridgeRequest, least_side: int = 0
) -> None:
    """Raises BadRequest for a frame rate, a format or a size that no clip can have. least_side: 0 where that is a
    wish for the still's own size."""
    if request.fps[0] <= 0 or request.fps[1] <= 0:
        raise BadRequest("The frame rate is not above zero.", "Choose a frame rate such as 24 or 24000/1001.")
    check_names((request.clip_format, CLIP_FORMATS, "clip format"))
    check_size(request.width, request.height, least_side)


def check_size(width: int, height: int, least: int = 0) -> None:
    """In pixels. Raises BadRequest."""
    if not least <= width <= MAX_SIDE or not least <= height <= MAX_SIDE:
        raise BadRequest(f"A clip of {width} x {height} pixels cannot be made.",
                         f"Choose sides of {max(least, 1)} to {MAX_SIDE} pixels.")


def check_count(num_frames: int, least: int = 1, most: int = MAX_FRAMES) -> None:
    """Raises BadRequest for a number of frames outside of least .. most."""
    if not least <= num_frames <= most:
        raise BadRequest(f"A clip of {num_frames} frames cannot be made.", f"Choose {least} to {most} frames.")


def check_names(*chosen: tuple[str, Iterable[str], str]) -> None:
    """Each a name, those that there are, and what they are names of. Raises BadRequest."""
    for value, known, what in chosen:
        if value not in known:
            raise BadRequest(f"There is no {what} called '{value}'.", f"Choose one of: {', '.join(known)}.")
