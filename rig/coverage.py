"""What the camera sees beyond the photo: measured on the rearmost layer's own outline, not guessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.camera import View
from ..engine.errors import BadSelection
from . import curves, moves, sample, stack
from .axes import CAMERA
from .owned import Rig

SAFETY_PX = 1.5  # resampling at the frame's border reads a pixel further out
NEAREST_SHARE = 0.75  # a camera stays behind this share of the way to the nearest point, as in the engine
STEPS = 12  # bisection of the camera's travel
MOST_FRAMES = 121  # looked at; between them a camera does not leap


@dataclass(frozen=True)
class Outline:
    """edges: (E, 2, 3) float64, the directed open edges of the rearmost layer, OpenCV's axes of the world.
    nearest: depth of the nearest point of all layers."""

    edges: np.ndarray
    nearest: float


def outline_of(rig: Rig) -> Outline:
    """Raises BadSelection when no layer is left, or the rearmost has no outline."""
    layers = [item for item in rig.layers if item.type == "MESH" and len(item.data.polygons)]
    if not layers or layers[0]["diorama_layer"] != 0:
        raise BadSelection(
            f"The rearmost layer of '{rig.scene.name}' was deleted.", "Undo that, or press Change Depth to make it."
        )
    points, faces = _mesh(layers[0].data)
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    _, first, counts = np.unique(low * len(points) + high, return_index=True, return_counts=True)
    edges = points[pairs[first[counts == 1]]]
    if not len(edges):
        raise BadSelection(f"'{layers[0].name}' has no border any more.", "Press Change Depth to make the layers.")
    nearest = min(float(_mesh(item.data)[0][:, 2].min()) for item in layers)
    return Outline(edges, nearest)


def _mesh(mesh: Any) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) float64 points in OpenCV's axes, (M, 3) corners of triangles."""
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    mesh.calc_loop_triangles()
    faces = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.loop_triangles.foreach_get("vertices", faces)
    return points.reshape(-1, 3).astype(np.float64) @ CAMERA, faces.reshape(-1, 3)


def beyond(view: View, outline: Outline) -> float:
    """How many pixels deep the photo's outline comes into the frame; negative = it stays that far outside."""
    k = view.intrinsics
    points = outline.edges @ view.world2cam[:3, :3].T + view.world2cam[:3, 3]
    if points[..., 2].min() <= 0 or np.linalg.inv(view.world2cam)[2, 3] > NEAREST_SHARE * outline.nearest:
        return float(max(view.width, view.height))  # beside or in the photo, or turned away from it
    x = k.fx * points[..., 0] / points[..., 2] + k.cx + 0.5
    y = k.fy * points[..., 1] / points[..., 2] + k.cy + 0.5
    inside = np.minimum(np.minimum(x, view.width - x), np.minimum(y, view.height - y))
    # The frame's centre must lie within the outline: seen from there it turns once around.
    angle = np.arctan2(y - view.height / 2, x - view.width / 2)
    turns = abs(float((((angle[:, 1] - angle[:, 0]) + np.pi) % (2 * np.pi) - np.pi).sum())) / (2 * np.pi)
    return float(inside.max()) if round(turns) == 1 else float(max(view.width, view.height))


def frames_of(rig: Rig) -> list[int]:
    """The frames of the scene, thinned out where there are very many."""
    frames = np.arange(rig.scene.frame_start, rig.scene.frame_end + 1)
    if len(frames) > MOST_FRAMES:
        frames = np.unique(np.round(np.linspace(frames[0], frames[-1], MOST_FRAMES)).astype(int))
    return [int(frame) for frame in frames]


def worst(rig: Rig, outline: Outline | None = None) -> tuple[float, int]:
    """(pixels, frame): how far the evaluated camera sees beyond the photo at most, and where; negative = nowhere.

    Raises BadSelection for a camera or layers that cannot be measured.
    """
    outline = outline or outline_of(rig)
    frames = frames_of(rig)
    views = sample.evaluated_views(rig.scene, None, frames, *rig.size)
    depths = [beyond(view, outline) for view in views]
    index = int(np.argmax(depths))
    return depths[index], frames[index]


def fit(rig: Rig) -> float:
    """Scales the camera's travel so that nothing beyond the photo shows; returns the share that is left, 1 = all of it.

    The keys are moved towards the rest pose, all by the same share, and the evaluated camera is measured each time.
    Raises BadSelection when even the rest pose shows more than the photo, or the rest is not the keys' doing; then the
    keys are as before.
    """
    outline = outline_of(rig)
    if _allowed(rig, outline):
        return 1.0
    owners, rest = moves.owners_of(rig), moves.rest_of(moves.Basis.of(rig))
    animated = [
        (curve, rest[channel])
        for channel in moves.CHANNELS
        if (curve := curves.find(owners[channel.owner], channel.path, channel.index))
    ]
    kept = [_kept(curve) for curve, _ in animated]

    def allowed(share: float) -> bool:
        for (curve, value), restore in zip(animated, kept, strict=True):
            restore()
            curves.scaled(curve, value, share)
        return _allowed(rig, outline)

    if not allowed(0.0):
        for restore in kept:
            restore()
        raise BadSelection(
            "Even without its keyframes the camera sees more than the photo.",
            "Look at its constraints, its own position and its lens.",
        )
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if allowed(middle) else (low, middle)
    allowed(low)
    stack.shorten(rig, low)
    return low


def _allowed(rig: Rig, outline: Outline) -> bool:
    return worst(rig, outline)[0] <= -SAFETY_PX


def _kept(curve: Any) -> Callable[[], None]:
    """A function that gives an F-curve the keys back that it has now."""
    names = ("co", "handle_left", "handle_right")
    values: dict[str, np.ndarray] = {}
    for name in names:
        values[name] = np.empty(len(curve.keyframe_points) * 2, np.float32)
        curve.keyframe_points.foreach_get(name, values[name])

    def restore() -> None:
        for name in names:
            curve.keyframe_points.foreach_set(name, values[name])
        curve.update()

    return restore
