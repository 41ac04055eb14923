"""The messages between session and engine: one JSON object a line, UTF-8, on the engine's stdin and stdout.

Both sides import this file, under different package names, so messages cross as JSON and never as pickled classes.
Every message is a frozen dataclass; on the wire it and a request carry their class name under "type".
Standard library only. docs/protocol.md tells the order of the messages.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar

PROTOCOL_VERSION = 1
HEARTBEAT_SECONDS = 0.4
SILENCE_SECONDS = 1.8          # an engine silent for longer is called hung: noticed within 2 s
MAX_LINE_BYTES = 1 << 24       # a longer line is garbage: the largest honest one names 100 000 files of a sequence

CLIP_FORMATS = ("h264", "prores", "ffv1", "png")
STAGES = ("load", "depth", "layers", "path", "render", "write")


class MalformedMessage(ValueError):
    """A line that is no message of this protocol."""


# ------------------------------------------------------------------ requests: what a job needs, all of it


@dataclass(frozen=True)
class DepthSettings:
    """Where depth comes from and how it is shaped.

    model: "draft", a catalog id, or a folder. picture: path of a depth picture or .npy that replaces the model, or "".
    near_is_bright: how to read that picture. near, far: the levels of relative disparity (0 = farthest, 1 = nearest)
    that become nearest and farthest; gamma > 1 pushes the middle away from the camera.
    """

    model: str = "draft"
    picture: str = ""
    near_is_bright: bool = True
    near: float = 1.0
    far: float = 0.0
    gamma: float = 1.0


@dataclass(frozen=True)
class MoveSettings:
    """A camera move.

    name, easing, cycle: see engine/camera/moves.py, as is what amount is a share of. pivot: relative disparity
    (0 far, 1 near) of the plane that keeps its place; negative = chosen from the picture. crop_from, crop_to: x, y,
    width, height as shares of the frame, for the move "crop" only. seed: for "handheld".
    """

    name: str = "push_in"
    amount: float = 0.1
    easing: str = "ease_in_out"
    cycle: str = "once"
    pivot: float = -1.0
    crop_from: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    crop_to: tuple[float, float, float, float] = (0.1, 0.1, 0.8, 0.8)
    seed: int = 0


@dataclass(frozen=True)
class CameraMoveRequest:
    """A still becomes a clip.

    image: path of the still. output: path of the movie, or of the folder for a "png" sequence. fps: numerator,
    denominator. width, height: of the clip in pixels; 0 = as the still.
    visible_only: the still is a captured frame with transparent surroundings; the clip shows the part that is not
    transparent and the result says where in the frame that part lies.
    frame_width, frame_height: size of the project's frame that a captured still shows, pixels; 0 = the still's own.
    """

    image: str
    output: str
    num_frames: int
    fps: tuple[int, int] = (24, 1)
    width: int = 0
    height: int = 0
    clip_format: str = "h264"
    move: MoveSettings = field(default_factory=MoveSettings)
    depth: DepthSettings = field(default_factory=DepthSettings)
    visible_only: bool = False
    frame_width: int = 0
    frame_height: int = 0

    @property
    def frame_rate(self) -> Fraction:
        return Fraction(*self.fps)


# ------------------------------------------------------------------ session -> engine


@dataclass(frozen=True)
class Submit:
    """Run this job. Jobs run one after the other in the order in which they came."""

    job_id: str
    request: CameraMoveRequest


@dataclass(frozen=True)
class Cancel:
    """Stop this job between two steps, or drop it if it has not begun."""

    job_id: str


@dataclass(frozen=True)
class Shutdown:
    """Finish nothing more, end with status 0. Closing the pipe means the same."""


# ------------------------------------------------------------------ engine -> session


@dataclass(frozen=True)
class Hello:
    """First message, always. devices: such as ["cpu", "cuda:0 NVIDIA ..."]. memory_bytes: of the machine."""

    protocol_version: int
    engine_version: str
    devices: tuple[str, ...] = ("cpu",)
    memory_bytes: int = 0


@dataclass(frozen=True)
class Alive:
    """Sent every HEARTBEAT_SECONDS, so that silence means a hang."""


@dataclass(frozen=True)
class Progress:
    """One step of a job is done. done of total within the stage; seconds_left for the whole job, negative = unknown."""

    job_id: str
    stage: str
    done: int
    total: int
    seconds_left: float = -1.0


@dataclass(frozen=True)
class Finished:
    """Terminal. result: {"files": [...], "settings": {...}, ...}, all of it plain JSON; see docs/protocol.md."""

    job_id: str
    result: dict[str, Any]


@dataclass(frozen=True)
class Cancelled:
    """Terminal. Nothing with the final name was left behind."""

    job_id: str


@dataclass(frozen=True)
class Failed:
    """Terminal. kind: as in errors.py. message, remedy: one plain sentence each."""

    job_id: str
    kind: str
    message: str
    remedy: str


Message = Submit | Cancel | Shutdown | Hello | Alive | Progress | Finished | Cancelled | Failed
TERMINAL = (Finished, Cancelled, Failed)


class _Registry:
    messages: ClassVar[dict[str, type]] = {c.__name__: c for c in Message.__args__}
    requests: ClassVar[dict[str, type]] = {"CameraMoveRequest": CameraMoveRequest}
    nested: ClassVar[dict[str, type]] = {"move": MoveSettings, "depth": DepthSettings}


def encode(message: Message) -> bytes:
    """Message -> one line with its line feed."""
    plain = dataclasses.asdict(message)
    plain["type"] = type(message).__name__
    if isinstance(message, Submit):
        plain["request"]["type"] = type(message.request).__name__
    return json.dumps(plain, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def decode(line: bytes) -> Message:
    """One line -> message. Raises MalformedMessage, and nothing else, for anything that is none."""
    try:
        plain = json.loads(line)
        kind = _Registry.messages[plain.pop("type")]
        if kind is Submit:
            plain["request"] = request_from_dict(plain["request"])
        return kind(**_typed(kind, plain))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedMessage(f"not a message: {line[:120]!r}") from error


def request_from_dict(plain: dict[str, Any]) -> CameraMoveRequest:
    """The inverse of dataclasses.asdict for a request; the class name stands under "type" where there is one."""
    plain = dict(plain)
    kind = _Registry.requests[plain.pop("type", "CameraMoveRequest")]
    for name, nested in _Registry.nested.items():
        if name in plain:
            plain[name] = nested(**_typed(nested, plain[name]))
    return kind(**_typed(kind, plain))


def _typed(kind: type, plain: dict[str, Any]) -> dict[str, Any]:
    """Checks names and plain types of a dataclass's fields; JSON lists become tuples again."""
    expected = {f.name: f for f in dataclasses.fields(kind)}
    out: dict[str, Any] = {}
    for name, value in plain.items():
        declared = str(expected[name].type)
        if declared.startswith("tuple"):
            value = tuple(value)
        elif declared == "float":
            value = float(value)
        elif declared in ("int", "str", "bool") and type(value).__name__ != declared:
            raise TypeError(f"{kind.__name__}.{name} is {type(value).__name__}, not {declared}")
        out[name] = value
    return out
