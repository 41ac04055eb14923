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
from typing import Any, ClassVar, cast

PROTOCOL_VERSION = 1
HEARTBEAT_SECONDS = 0.4
SILENCE_SECONDS = 1.8          # an engine silent for longer is called hung: noticed within 2 s
MAX_LINE_BYTES = 1 << 24       # a longer line is garbage: the largest honest one names 100 000 files of a sequence

CLIP_FORMATS = ("h264", "prores", "ffv1", "png")
STAGES = ("load", "depth", "layers", "path", "render", "write")        # of a clip; a DownloadModel has "download"
PASSES = ("colour", "depth", "mattes", "disocclusion")
VIEW_NUMBERS = 20              # world2cam row by row, fx, fy, cx, cy
MAX_PATH_FRAMES = 20_000       # of a PathRequest: its cameras must fit into one line


class MalformedMessage(ValueError):
    """A line that is no message of this protocol."""


# ------------------------------------------------------------------ requests: what a job needs, all of it


@dataclass(frozen=True)
class DepthSettings:
    """Where depth comes from and how it is shaped.

    model: "draft", a catalog id, or a folder. picture: path of a depth picture or .npy that replaces the model, or "".
    near_is_bright: how to read that picture. near, far: the levels of relative disparity (0 = farthest, 1 = nearest)
    that become nearest and farthest; gamma > 1 pushes the middle away from the camera. invert: near becomes far,
    before the levels. correction: path of a paint-over in the aspect of the visible still, or "": where it is opaque
    its grey level (near = bright) replaces all of this.
    """

    model: str = "draft"
    picture: str = ""
    near_is_bright: bool = True
    near: float = 1.0
    far: float = 0.0
    gamma: float = 1.0
    invert: bool = False
    correction: str = ""


@dataclass(frozen=True)
class MoveSettings:
    """A camera move.

    name, easing, cycle: see engine/camera/moves.py, as is what amount is a share of. pivot: relative disparity
    (0 far, 1 near) of the plane that keeps its place; negative = chosen from the picture. pivot_point: x from the left,
    y from the top, as shares of the still as it was given; where not negative, the plane is the one at this point.
    crop_from, crop_to: x, y, width, height as shares of the frame, for the move "crop" only. seed: for "handheld".
    """

    name: str = "push_in"
    amount: float = 0.1
    easing: str = "ease_in_out"
    cycle: str = "once"
    pivot: float = -1.0
    crop_from: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    crop_to: tuple[float, float, float, float] = (0.1, 0.1, 0.8, 0.8)
    seed: int = 0
    pivot_point: tuple[float, float] = (-1.0, -1.0)


@dataclass(frozen=True)
class LensSettings:
    """What a real lens adds to the move.

    f_stop: as of a Blender camera; 0 = everything is sharp. focus: relative disparity (0 far, 1 near) of the plane in
    focus; negative = the pivot. focus_point: as pivot_point; where not negative, what is at this point is in focus.
    vignette: 0 = none .. 1 = the fall-off of a very wide lens.
    """

    f_stop: float = 0.0
    focus: float = -1.0
    focus_point: tuple[float, float] = (-1.0, -1.0)
    vignette: float = 0.0


@dataclass(frozen=True)
class CameraMoveRequest:
    """A still becomes a clip.

    image: path of the still. output: path of the movie, or of the folder for a "png" sequence. fps: numerator,
    denominator. width, height: of the clip in pixels; 0 = as the still.
    visible_only: the still is a captured frame with transparent surroundings; the clip shows the part that is not
    transparent and the result says where in the frame that part lies.
    frame_width, frame_height: size of the project's frame that a captured still shows, pixels; 0 = the still's own.
    intrinsics: fx, fy, cx, cy of the still's camera, pixels of the still; () = from the depth model or the photo.
    z_picture: path of an EXR or .npy with the exact z of every pixel, scene units, which replaces depth; "" = none.
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
    intrinsics: tuple[float, ...] = ()
    z_picture: str = ""
    lens: LensSettings = field(default_factory=LensSettings)

    @property
    def frame_rate(self) -> Fraction:
        return Fraction(*self.fps)


@dataclass(frozen=True)
class LayersRequest:
    """A still becomes a layered still on disk, for the rig.

    image, depth, visible_only, frame_width, frame_height, intrinsics, z_picture: as in CameraMoveRequest.
    output: the folder to be made; one that is there is replaced as a whole. pivot: relative disparity (0 far, 1 near)
    of the plane that a rig turns around; negative = chosen from the picture. pivot_point: as in MoveSettings.
    max_width, max_height: the still is reduced to fit into this, pixels; 0 = not reduced.
    """

    image: str
    output: str
    depth: DepthSettings = field(default_factory=DepthSettings)
    visible_only: bool = False
    frame_width: int = 0
    frame_height: int = 0
    pivot: float = -1.0
    max_width: int = 0
    max_height: int = 0
    intrinsics: tuple[float, ...] = ()
    z_picture: str = ""
    pivot_point: tuple[float, float] = (-1.0, -1.0)


@dataclass(frozen=True)
class PathRequest:
    """A layered still and a camera for each frame become a clip.

    folder: of the layered still. output: path of the movie, or of the folder for a "png" sequence; the passes other
    than "colour" go beside it, under its name with "_depth" and the like. views: one a frame, VIEW_NUMBERS numbers
    each: world2cam, 4 x 4 row by row (OpenCV axes, the still's camera is the identity), then fx, fy, cx, cy in pixels
    of the clip. passes: of PASSES, in any order.
    """

    folder: str
    output: str
    views: tuple[tuple[float, ...], ...]
    width: int
    height: int
    fps: tuple[int, int] = (24, 1)
    clip_format: str = "h264"
    passes: tuple[str, ...] = ("colour",)

    @property
    def frame_rate(self) -> Fraction:
        return Fraction(*self.fps)


@dataclass(frozen=True)
class ListModels:
    """Which depth models there are by name, and which of them lie on this machine. Uses no network."""


@dataclass(frozen=True)
class DownloadModel:
    """Fetch a depth model's files. model: its catalog id. accept_licence: the person has read and accepted it."""

    model: str
    accept_licence: bool = False


@dataclass(frozen=True)
class RemoveModel:
    """Delete a depth model's files from this machine. model: its catalog id."""

    model: str


Request = CameraMoveRequest | LayersRequest | PathRequest | ListModels | DownloadModel | RemoveModel


# ------------------------------------------------------------------ session -> engine


@dataclass(frozen=True)
class Submit:
    """Run this job. Jobs run one after the other in the order in which they came."""

    job_id: str
    request: Request


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
    """First message, always. devices: what is known without loading torch. memory_bytes: of the machine."""

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
    requests: ClassVar[dict[str, type]] = {c.__name__: c for c in Request.__args__}
    nested: ClassVar[dict[str, type]] = {"move": MoveSettings, "depth": DepthSettings, "lens": LensSettings}


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


def request_from_dict(plain: dict[str, Any]) -> Request:
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
            value = _tuple(declared, value)
        elif declared == "float":
            value = float(value)
        elif declared in ("int", "str", "bool") and type(value).__name__ != declared:
            raise TypeError(f"{kind.__name__}.{name} is {type(value).__name__}, not {declared}")
        out[name] = value
    return out


def _tuple(declared: str, value: Any) -> tuple[Any, ...]:
    """A JSON list of that declared type -> tuple; its members are checked, and lists within it become tuples too."""
    if not isinstance(value, list | tuple):
        raise TypeError(f"{type(value).__name__} is not {declared}")
    members = cast("list[Any]", value)
    if declared.startswith("tuple[tuple"):
        return tuple(_tuple("tuple[float, ...]", member) for member in members)
    kinds = (int, float) if "float" in declared else (int,) if "int" in declared else (str,)
    for member in members:
        if not isinstance(member, kinds) or isinstance(member, bool):
            raise TypeError(f"{type(member).__name__} in {declared}")
    return tuple(float(member) for member in members) if "float" in declared else tuple(members)
