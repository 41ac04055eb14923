"""The messages themselves, and their form on the wire."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from .finish import ClipPart, FinishStep
from .generate import GenerateSettings
from .requests import DepthSettings, LensSettings, MoveSettings, Request

PROTOCOL_VERSION = 1
HEARTBEAT_SECONDS = 0.4
SILENCE_SECONDS = 1.8          # an engine silent for longer is called hung: noticed within 2 s
MAX_LINE_BYTES = 1 << 24       # a longer line is garbage: the largest honest one names 100 000 files of a sequence


class MalformedMessage(ValueError):
    """A line that is no message of this protocol."""


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
    """One step of a job is done.

    done of total within the stage; seconds_left for the whole job, negative = unknown. preview: path of a small
    picture or movie of what there is so far, or ""; it is the job's own and goes with the job.
    """

    job_id: str
    stage: str
    done: int
    total: int
    seconds_left: float = -1.0
    preview: str = ""


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
    nested: ClassVar[dict[str, type]] = {"move": MoveSettings, "depth": DepthSettings, "lens": LensSettings,
                                      "generate": GenerateSettings}
    lists: ClassVar[dict[str, type]] = {"parts": ClipPart, "steps": FinishStep}     # tuples of these


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
    return _made(_Registry.requests[plain.pop("type", "CameraMoveRequest")], plain)


def _made(kind: type, plain: dict[str, Any]) -> Any:
    """A dataclass with the dataclasses within it."""
    within: dict[str, Any] = {}
    for name, nested in _Registry.nested.items():
        if name in plain:
            within[name] = _made(nested, plain[name])
    for name, nested in _Registry.lists.items():
        if name in plain:
            within[name] = tuple(_made(nested, member) for member in plain[name])
    return kind(**_typed(kind, {name: value for name, value in plain.items() if name not in within}), **within)


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
