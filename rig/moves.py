"""The engine's named moves as channels of the rig's camera: what each adds to the rest pose, frame by frame."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from ..engine.camera import Bounds, Intrinsics, Options, Shot, limited, views_at
from ..engine.protocol import MoveSettings
from .axes import Lens, lens_of, place_of
from .curves import Curve
from .owned import Rig

# Pose and framing stay within these of the engine's at every frame: scene units and radians; shares of the width; mm.
PLACE_TOLERANCE, TURN_TOLERANCE, SHIFT_TOLERANCE, LENS_TOLERANCE = 6e-5, 1e-5, 5e-5, 1e-3
REMEMBERED = 32  # moves whose poses, and whose limits, are kept
SWAY = "handheld"  # goes onto the camera's delta location: the keys of the other moves stay as they are


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
_limits: dict[tuple[Basis, MoveSettings], float] = {}  # a move at full amount -> the largest that the margin allows


@dataclass(frozen=True)
class Basis:
    """All that turns a move into poses: the facts of the photo (see Rig.facts), and the scene's frames.

    bounds: left, right, top, bottom (lowest and highest disparity each), near, far. start: first frame. rate: frames a
    second.
    """

    pivot: float
    bounds: Bounds
    margin_px: int
    intrinsics: Intrinsics
    width: int
    height: int
    size: tuple[int, int]
    start: int
    count: int
    rate: float

    @classmethod
    def of(cls, rig: Rig) -> Basis:
        scene, names = rig.scene, ("pivot", "bounds", "margin_px", "intrinsics", "width", "height", "size")
        count = max(scene.frame_end - scene.frame_start + 1, 1)
        frames = {"start": scene.frame_start, "count": count, "rate": scene.render.fps / scene.render.fps_base}
        return cls.from_plain({name: rig.facts[name] for name in names} | frames)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Basis:
        """From JSON, as plain() gives it."""
        bounds: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in plain["bounds"].items()}
        lens, (width, height) = plain["intrinsics"], plain["size"]
        return cls(**plain | {"bounds": Bounds(**bounds), "intrinsics": Intrinsics(*lens), "size": (width, height)})

    def plain(self) -> dict[str, Any]:
        return asdict(self) | {"intrinsics": list(asdict(self.intrinsics).values())}


def shot_of(basis: Basis, move: MoveSettings) -> Shot:
    """A move as the engine knows it; its pivot is the rig's. Raises BadRequest for names and amounts that are none."""
    return Shot(
        move.name,
        move.amount,
        move.easing,
        move.cycle,
        basis.pivot,
        basis.count,
        basis.count / basis.rate,
        basis.intrinsics,
        basis.width,
        basis.height,
        *basis.size,
        Options(move.crop_from, move.crop_to, move.seed),
    )


def within_margin(basis: Basis, move: MoveSettings) -> MoveSettings:
    """The same move with the largest amount, not above its own, that shows nothing beyond the photo's margin."""
    kind = basis, replace(move, amount=1.0)
    most = _limits.get(kind, 0.0)
    if not most:  # searched for only where an amount is too large, and not at every step of a slider beyond that
        most = limited(shot_of(basis, move), basis.bounds, basis.margin_px).amount
        if most < move.amount:
            _limits[kind] = most
            if len(_limits) > REMEMBERED:
                del _limits[next(iter(_limits))]
    return replace(move, amount=min(move.amount, most))


def corners_of(basis: Basis, cycle: str) -> list[float]:
    """The frames at which a move of this cycle needs a key: its ends, and where it turns round."""
    start, count = basis.start, basis.count
    last = start + (count if cycle == "loop" else max(count - 1, 1))
    return [start, last] if cycle == "once" else [start, (start + last) / 2, last]


class Table:
    """What a move adds to the rest pose, each frame asked for once.

    Columns: x, y, z, turn, lens, shift_x, shift_y.
    """

    def __init__(self, basis: Basis, move: MoveSettings) -> None:
        self._shot, self._bounds, self._start = shot_of(basis, move), basis.bounds, basis.start
        self._sway = move.name == SWAY
        self._known: dict[float, np.ndarray] = {}
        lens = rest_lens(basis)
        self._rest = np.array([0, 0, 0, 0, lens.lens, lens.shift_x, lens.shift_y])

    def offset(self, channel: Channel) -> Curve | None:
        """Frames of the scene -> what is added to a channel; None = this move leaves it alone."""
        chosen = (*(SWAYS if self._sway else PLACES), *OTHERS)
        if channel not in chosen:
            return None
        column = chosen.index(channel)
        return lambda frames: self._rows(np.atleast_1d(frames))[:, column]

    def _rows(self, frames: np.ndarray) -> np.ndarray:
        unknown = np.array([frame for frame in frames.tolist() if frame not in self._known])
        for frame, view in zip(
            unknown.tolist(), views_at(unknown - self._start, self._shot, self._bounds), strict=True
        ):
            place, turn = place_of(view, 1 / self._shot.pivot)
            lens = lens_of(view.intrinsics, view.width, view.height)
            row = np.array([*place, turn, lens.lens, lens.shift_x, lens.shift_y])
            self._known[frame] = row - self._rest
        return np.array([self._known[frame] for frame in frames.tolist()])


@lru_cache(REMEMBERED)
def table_of(basis: Basis, move: MoveSettings) -> Table:
    """A move's table, remembered: while one slider is dragged the other moves stay as they are."""
    return Table(basis, move)


# ------------------------------------------------------------------ the rig's channels


def owners_of(rig: Rig) -> dict[str, Any]:
    """The data-blocks that a rig's channels belong to. Raises BadSelection if one was deleted."""
    camera = rig.camera
    return {"object": camera, "lens": camera.data, "pivot": rig.pivot}


def rest_of(basis: Basis) -> dict[Channel, float]:
    """The value of every channel with which the camera shows the photo as it is."""
    lens = rest_lens(basis)
    values = dict.fromkeys(CHANNELS, 0.0)
    values.update(zip(OTHERS[1:], (lens.lens, lens.shift_x, lens.shift_y), strict=True))
    return values


@lru_cache(REMEMBERED)
def rest_lens(basis: Basis) -> Lens:
    """Of the camera that shows the photo as it is."""
    (view,) = views_at(np.zeros(1), shot_of(basis, MoveSettings(amount=0.0)), basis.bounds)
    return lens_of(view.intrinsics, *basis.size)


def value_of(owner: Any, channel: Channel) -> float:
    value = getattr(owner, channel.path)
    return float(value if channel.index < 0 else value[channel.index])


def set_value(owner: Any, channel: Channel, value: float) -> None:
    if channel.index < 0:
        setattr(owner, channel.path, value)
    else:
        getattr(owner, channel.path)[channel.index] = value
