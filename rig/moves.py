"""A named move of the engine as keyframes of the rig's camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.camera import MOVES, Bounds, Intrinsics, Shot, limited, views_at
from ..engine.errors import BadRequest
from . import curves
from .axes import Lens, lens_of, place_of
from .owned import Rig, tag

# Pose and framing stay within these of the engine's at every frame: scene units and radians; shares of the width; mm.
PLACE_TOLERANCE, TURN_TOLERANCE, SHIFT_TOLERANCE, LENS_TOLERANCE = 6e-5, 1e-5, 5e-5, 1e-3
SWAY = "handheld"  # goes onto the camera's delta location: the keys of the move that it is added to stay as they are


@dataclass(frozen=True)
class Channel:
    """A property that a move animates. owner: "object" or "lens" (the camera), "pivot". index: -1 = a single number."""

    owner: str
    path: str
    index: int
    tolerance: float


PLACES = tuple(Channel("object", "location", axis, PLACE_TOLERANCE) for axis in range(3))
SWAYS = tuple(Channel("object", "delta_location", axis, PLACE_TOLERANCE) for axis in range(3))
OTHERS = (
    Channel("pivot", "rotation_euler", 2, TURN_TOLERANCE),
    Channel("lens", "lens", -1, LENS_TOLERANCE),
    Channel("lens", "shift_x", -1, SHIFT_TOLERANCE),
    Channel("lens", "shift_y", -1, SHIFT_TOLERANCE),
)
CHANNELS = (*PLACES, *SWAYS, *OTHERS)


def bounds_of(rig: Rig) -> Bounds:
    plain = rig.facts["bounds"]
    sides = {name: tuple(plain[name]) for name in ("left", "right", "top", "bottom")}
    return Bounds(near=plain["near"], far=plain["far"], **sides)


def shot_of(rig: Rig, move: dict[str, Any], num_frames: int) -> Shot:
    """A move on this rig as the engine knows it, limited to what the photo's margin covers.

    move: name, amount, easing, cycle, and where they matter options (see engine/camera/moves.py).
    Raises BadRequest for an unknown name.
    """
    facts, rate = rig.facts, rig.scene.render.fps / rig.scene.render.fps_base
    wish = Shot(
        move["name"],
        move["amount"],
        move["easing"],
        move["cycle"],
        facts["pivot"],
        num_frames,
        num_frames / rate,
        Intrinsics(*facts["intrinsics"]),
        facts["width"],
        facts["height"],
        *rig.size,
        **({"options": move["options"]} if "options" in move else {}),
    )
    return limited(wish, bounds_of(rig), facts["margin_px"])


def num_frames_of(rig: Rig) -> int:
    return max(rig.scene.frame_end - rig.scene.frame_start + 1, 1)


def apply(rig: Rig, move: dict[str, Any], add: bool) -> Shot:
    """Gives the camera this move over the scene's frames, or adds it to what the camera does.

    add: other keys stay where the move does not touch their channel; where it does, both are summed. Returns the shot
    as it was limited. Raises BadRequest, BadSelection; then nothing was changed.
    """
    if move["name"] not in MOVES:
        raise BadRequest(f"There is no move called '{move['name']}'.", f"Choose one of: {', '.join(MOVES)}.")
    owners = owners_of(rig)
    count, start = num_frames_of(rig), rig.scene.frame_start
    shot, bounds, rest = shot_of(rig, move, count), bounds_of(rig), rest_of(rig)
    sway = move["name"] == SWAY
    repeat = shot.cycle == "loop"
    last = start + (count if repeat else max(count - 1, 1))
    corners = [start, (start + last) / 2, last] if shot.cycle != "once" else [start, last]
    table = _Table(shot, bounds, start)
    planned: list[tuple[Channel, np.ndarray | None, float]] = []
    for channel in CHANNELS:
        column = _column(channel, sway)
        offset = table.column(column, rest[channel]) if column is not None else _nothing
        old = curves.find(owners[channel.owner], channel.path, channel.index) if add else None
        planned.append((channel, *_planned(channel, offset, old, rest[channel], corners, owners, add)))
    for channel, keys, value in planned:
        owner = owners[channel.owner]
        if keys is not None:
            curves.write(owner, channel.path, channel.index, keys, repeat)
            tag(owner.animation_data.action, rig.id)
        elif not add:
            curves.remove(owner, channel.path, channel.index)
            _set(owner, channel, value)
    return shot


def _planned(
    channel: Channel,
    offset: curves.Curve,
    old: Any,
    rest: float,
    corners: list[float],
    owners: dict[str, Any],
    add: bool,
) -> tuple[np.ndarray | None, float]:
    """(keys or None, constant value) of a channel. offset: what the move adds to the rest value."""
    frames = np.linspace(corners[0], corners[-1], max(round(corners[-1] - corners[0]), 1) * 2 + 1)
    moved = np.abs(offset(frames)).max() > channel.tolerance / 10
    if not moved:
        return None, rest
    if old is None:
        held = value_of(owners[channel.owner], channel) if add else rest
        return curves.fitted(lambda at: held + offset(at), corners, channel.tolerance), rest
    before = curves.reader(old)
    inner = [float(point.co[0]) for point in old.keyframe_points if corners[0] < point.co[0] < corners[-1]]
    joined = sorted({*corners, *inner})
    return curves.fitted(lambda at: before(at) + offset(at), joined, channel.tolerance), rest


class _Table:
    """The engine's poses as the rig's channels: x, y, z, turn, lens, shift_x, shift_y; each frame is asked for once."""

    def __init__(self, shot: Shot, bounds: Bounds, start: int) -> None:
        self._shot, self._bounds, self._start = shot, bounds, start
        self._known: dict[float, np.ndarray] = {}

    def column(self, index: int, rest: float) -> curves.Curve:
        return lambda frames: np.array([self._row(float(frame))[index] for frame in np.atleast_1d(frames)]) - rest

    def _row(self, frame: float) -> np.ndarray:
        if frame not in self._known:
            (view,) = views_at(np.array([frame - self._start]), self._shot, self._bounds)
            place, turn = place_of(view, 1 / self._shot.pivot)
            lens = lens_of(view.intrinsics, view.width, view.height)
            self._known[frame] = np.array([*place, turn, lens.lens, lens.shift_x, lens.shift_y])
        return self._known[frame]


def _column(channel: Channel, sway: bool) -> int | None:
    """Which column of the table drives a channel; None = this move leaves it alone."""
    if channel in OTHERS:
        return 3 + OTHERS.index(channel)
    chosen = SWAYS if sway else PLACES
    return chosen.index(channel) if channel in chosen else None


def _nothing(frames: np.ndarray) -> np.ndarray:
    return np.zeros(len(frames))


# ------------------------------------------------------------------ the rig's channels


def owners_of(rig: Rig) -> dict[str, Any]:
    """The data-blocks that a rig's channels belong to. Raises BadSelection if one was deleted."""
    camera = rig.camera
    return {"object": camera, "lens": camera.data, "pivot": rig.pivot}


def rest_of(rig: Rig) -> dict[Channel, float]:
    """The value of every channel with which the camera shows the photo as it is."""
    lens = rest_lens(rig)
    values = dict.fromkeys(CHANNELS, 0.0)
    values.update(zip(OTHERS[1:], (lens.lens, lens.shift_x, lens.shift_y), strict=True))
    return values


def rest_lens(rig: Rig) -> Lens:
    """Of the camera that shows the photo as it is."""
    still = {"name": "push_in", "amount": 0.0, "easing": "linear", "cycle": "once"}
    (view,) = views_at(np.zeros(1), shot_of(rig, still, 1), bounds_of(rig))
    return lens_of(view.intrinsics, *rig.size)


def value_of(owner: Any, channel: Channel) -> float:
    value = getattr(owner, channel.path)
    return float(value if channel.index < 0 else value[channel.index])


def _set(owner: Any, channel: Channel, value: float) -> None:
    if channel.index < 0:
        setattr(owner, channel.path, value)
    else:
        getattr(owner, channel.path)[channel.index] = value
