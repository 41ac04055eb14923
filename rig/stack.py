"""The moves of a rig, one on top of another, and the few keys that they become together.

Wanted is the list in the scene (scene.diorama_camera.moves), whose sliders a person drags. What the keys hold stands
beside the rig's facts: moves, limited to the photo's margin, and the basis that turned them into poses. Where the keys
are still as they were made they are made anew; where a person has dragged them only the difference is added.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ..engine.camera import MOVES
from ..engine.errors import BadRequest
from ..engine.protocol import MoveSettings
from . import curves, moves
from .curves import Curve
from .moves import Basis, Channel
from .owned import Rig, tag

STACK = "diorama_rig_stack"  # on the rig's scene: JSON of a Stack
AS_MADE = 2.5  # tolerances: keys that lie further from what they were made as were dragged by a person
_filling: list[bool] = []  # not empty while the list is filled by us: its sliders then do nothing


@dataclass(frozen=True)
class Stack:
    """What the keys hold. parts: each move, limited, and the share of it that Fit has left."""

    parts: tuple[tuple[MoveSettings, float], ...]
    basis: Basis

    def offsets(self) -> Callable[[Channel], Curve]:
        """Channel -> what all moves together add to the rest pose."""
        tables = [(moves.table_of(self.basis, move), share) for move, share in self.parts]

        def of(channel: Channel) -> Curve:
            found = [(offset, share) for table, share in tables if (offset := table.offset(channel))]
            return lambda frames: sum((offset(frames) * share for offset, share in found), np.zeros(np.size(frames)))

        return of

    @property
    def repeats(self) -> bool:
        """Whether the keys go round: every move is a loop."""
        return bool(self.parts) and all(move.cycle == "loop" for move, _ in self.parts)

    def corners(self) -> list[float]:
        """Frames at which there is always a key."""
        start, count = self.basis.start, self.basis.count
        last = start + (count if self.repeats else max(count - 1, 1))
        every = {frame for move, _ in self.parts for frame in moves.corners_of(self.basis, move.cycle)}
        return sorted({start, last} | {frame for frame in every if frame < last})


# ------------------------------------------------------------------ the list that a person sees


def read(rig: Rig) -> Stack:
    """What the keys hold now."""
    plain = json.loads(rig.scene[STACK])
    return Stack(tuple((move_from(move), share) for move, share in plain["parts"]), Basis.from_plain(plain["basis"]))


def move_from(plain: dict[str, Any]) -> MoveSettings:
    """The inverse of dataclasses.asdict() after JSON."""
    settings: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in plain.items()}
    return MoveSettings(**settings)


def wanted(rig: Rig) -> list[tuple[MoveSettings, float]]:
    """What the list asks for; a move that is switched off counts as none."""
    return [(entry.move_settings(), entry.share) for entry in rig.scene.diorama_camera.moves if entry.enabled]


def apply(rig: Rig, move: MoveSettings, add: bool) -> MoveSettings:
    """Gives the camera this move over the scene's frames, or adds it to what the camera does. Returns it as limited.

    Raises BadRequest, BadSelection; then nothing was changed.
    """
    if move.name not in MOVES:
        raise BadRequest(f"There is no move called '{move.name}'.", f"Choose one of: {', '.join(MOVES)}.")
    moves.owners_of(rig)
    moves.shot_of(Basis.of(rig), move)
    entries = rig.scene.diorama_camera.moves
    with _quiet():
        if not add:
            entries.clear()
        entries.add().take(move)
    remake(rig, fresh=not add)
    return read(rig).parts[-1][0]


def drop(rig: Rig, index: int) -> None:
    """Takes one move out of the list, and what it did out of the keys. Raises BadSelection."""
    moves.owners_of(rig)
    rig.scene.diorama_camera.moves.remove(index)
    remake(rig)


def changed(rig: Rig) -> None:
    """After a slider of the list was moved."""
    if not _filling:
        remake(rig)


def shorten(rig: Rig, share: float) -> None:
    """After Fit has scaled all keys: every move remembers what is left of it."""
    stack = read(rig)
    with _quiet():
        for entry in rig.scene.diorama_camera.moves:
            entry.share *= share
    _write(rig, replace(stack, parts=tuple((move, part * share) for move, part in stack.parts)))


@contextmanager
def _quiet() -> Iterator[None]:
    _filling.append(True)
    try:
        yield
    finally:
        _filling.pop()


def _write(rig: Rig, stack: Stack) -> None:
    parts = [[asdict(move), share] for move, share in stack.parts]
    rig.scene[STACK] = json.dumps({"parts": parts, "basis": stack.basis.plain()})


# ------------------------------------------------------------------ the keys


def remake(rig: Rig, fresh: bool = False) -> None:
    """Makes the keys what the list, the photo and the scene's frames ask for now.

    fresh: all keys of the rig's channels go first, those that a person made as well. When the scene has other frames
    than before, what a person did is stretched over them. Raises BadRequest for moves that no keys can follow.
    """
    basis, owners = Basis.of(rig), moves.owners_of(rig)
    new = Stack(tuple((moves.within_margin(basis, move), share) for move, share in wanted(rig)), basis)
    old = Stack((), basis) if fresh else read(rig)
    held, rest = (moves.rest_of(stack.basis) for stack in (old, new))
    before, after, corners = old.offsets(), new.offsets(), new.corners()
    planned: list[tuple[Channel, np.ndarray | None]] = []
    for channel in moves.CHANNELS:
        curve = curves.find(owners[channel.owner], channel.path, channel.index)
        value = moves.value_of(owners[channel.owner], channel)
        made = _Made(held[channel], before(channel), old)
        if fresh or made.is_as_made(channel, curve, value):
            planned.append((channel, _fitted(channel, rest[channel], after(channel), corners)))
        elif curve or not (_is_nothing(channel, before(channel), old) and _is_nothing(channel, after(channel), new)):
            inner = made.places(curve, basis) if curve else []
            joined = sorted({*corners, *(at for at in inner if corners[0] < at < corners[-1])})
            shown = _sum(rest[channel], made.edits(curve, value, basis), after(channel))
            planned.append((channel, curves.fitted(shown, joined, channel.tolerance)))
    for channel, keys in planned:
        owner = owners[channel.owner]
        if keys is None:
            curves.remove(owner, channel.path, channel.index)
            moves.set_value(owner, channel, rest[channel])
        else:
            curves.write(owner, channel.path, channel.index, keys, new.repeats)
            tag(owner.animation_data.action, rig.id)
    _write(rig, new)


@dataclass(frozen=True)
class _Made:
    """A channel as it was made: its rest value, what the moves added, and over which frames."""

    rest: float
    offset: Curve
    stack: Stack

    def is_as_made(self, channel: Channel, curve: Any, value: float) -> bool:
        frames = _halves(self.stack.corners())
        shown = curves.reader(curve)(frames) if curve else np.full(len(frames), value)
        return bool(np.abs(shown - self.rest - self.offset(frames)).max() <= AS_MADE * channel.tolerance)

    def edits(self, curve: Any, value: float, basis: Basis) -> Curve:
        """What a person did to the channel, over the frames of another basis."""
        shown = curves.reader(curve) if curve else (lambda at: np.full(np.size(at), value))

        def of(frames: np.ndarray) -> np.ndarray:
            at = _stretched(np.atleast_1d(frames), basis, self.stack.basis)
            return shown(at) - self.rest - self.offset(at)

        return of

    def places(self, curve: Any, basis: Basis) -> list[float]:
        """Where the keys are, in the frames of another basis."""
        at = np.array([point.co[0] for point in curve.keyframe_points])
        return [float(frame) for frame in _stretched(at, self.stack.basis, basis)]


def _stretched(frames: np.ndarray, basis: Basis, other: Basis) -> np.ndarray:
    """Frames of one range -> the same share of the way through another."""
    scale = max(other.count - 1, 1) / max(basis.count - 1, 1)
    return other.start + (frames - basis.start) * scale


def _sum(rest: float, shift: Curve, offset: Curve) -> Curve:
    return lambda at: rest + shift(at) + offset(at)


def _fitted(channel: Channel, rest: float, offset: Curve, corners: list[float]) -> np.ndarray | None:
    """Keys, or None where the channel keeps its rest value."""
    if np.abs(offset(_halves(corners))).max() <= channel.tolerance / 10:
        return None
    return curves.fitted(lambda at: rest + offset(at), corners, channel.tolerance)


def _is_nothing(channel: Channel, offset: Curve, stack: Stack) -> bool:
    return bool(np.abs(offset(_halves(stack.corners()))).max() <= channel.tolerance / 10)


def _halves(corners: list[float]) -> np.ndarray:
    return np.linspace(corners[0], corners[-1], max(round(corners[-1] - corners[0]), 1) * 2 + 1)
