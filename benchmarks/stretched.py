"""Every move at its default amount: how much of a frame is stretched texture, and whether anything is left uncovered.

    PYTHONPATH=. python benchmarks/stretched.py --photos FOLDER --out FOLDER

Runs in the engine's environment, with draft depth. A pixel counts as stretched where the map from frame to texture has
a ratio of singular values below 0.25: the photo's pixels are drawn more than four times as long as wide. What lies
behind something counts as much as it shows through. A pixel counts as uncovered where less than half of it shows the
extended still: a hole, or the border.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
from measure import markdown
from pictures import PHOTOS

from engine.camera import MOVES, Bounds, Intrinsics, Shot, View, camera_path, limited
from engine.depth.estimate import estimate_depth
from engine.jobs.still import central_disparity, over_black, scene_disparity
from engine.layers import Layer, LayeredStill, build_layered_still
from engine.media.still import load_still
from engine.protocol import DepthSettings
from engine.render import Rasteriser
from engine.render import kernels as kernel
from engine.render.rasteriser import BAND_ROWS
from engine.render.separate import draw_layer

FRAMES = 5                  # of a move, spread evenly; the first, at rest, cannot be stretched
MEASURED = PHOTOS[:6]       # the others are textures and skies: flat in draft depth
STRETCHED = 0.25
GOAL = "< 0.5 %, 0"


def main() -> None:
    """Writes OUT/stretched.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    worst: dict[str, list[tuple[float, int, str, bool]]] = {move: [] for move in MOVES}
    for name in MEASURED:
        still = load_still(str(asked.photos / name))
        height, width = still.rgb.shape[:2]
        relative = estimate_depth(still, DepthSettings(model="draft")).relative_disparity
        disparity = scene_disparity(relative)
        layered = apart(build_layered_still(over_black(still), disparity, Intrinsics.from_size(width, height)))
        rasteriser, bounds = Rasteriser(layered), Bounds.of(disparity)
        pivot = float(scene_disparity(np.array(central_disparity(relative))))
        for identifier, move in MOVES.items():
            wish = Shot(identifier, move.default, "linear", "once", pivot, FRAMES, 4.0, layered.intrinsics, width,
                        height, width, height)
            shot = limited(wish, bounds, layered.margin_px)
            found = [look(rasteriser, layered, view) for view in camera_path(shot, bounds)[1:]]
            worst[identifier].append((max(share for share, _ in found), max(bare for _, bare in found), name,
                                      shot.amount < wish.amount))
    rows = [row(identifier, per_photo) for identifier, per_photo in worst.items()]
    header = [f"{len(MEASURED)} photos, {FRAMES - 1} frames each", "stretched, worst frame", "on",
              "stretched, median photo", "uncovered pixels, worst", "amount limited on", "goal"]
    (asked.out / "stretched.md").write_text(markdown(header, rows), encoding="utf-8")


def row(identifier: str, per_photo: list[tuple[float, int, str, bool]]) -> list[str]:
    share, _, name, _ = max(per_photo)
    middle = float(np.median([photo[0] for photo in per_photo]))
    limits = sum(photo[3] for photo in per_photo)
    return [f"{identifier}, {MOVES[identifier].default:g}", f"{share:.2%}", name.partition(".")[0], f"{middle:.2%}",
            str(max(photo[1] for photo in per_photo)), str(limits), GOAL]


def apart(layered: LayeredStill) -> LayeredStill:
    """The same picture with three vertices of its own for every triangle, so that a vertex tells its triangle."""
    layers = []
    for layer in layered.layers:
        own = np.arange(layer.faces.size, dtype=np.int32).reshape(-1, 3)
        layers.append(Layer(layer.name, layer.rgba, layer.vertices[layer.faces].reshape(-1, 3), own,
                            layer.uv[layer.faces].reshape(-1, 2)))
    return dataclasses.replace(layered, layers=layers)


def look(rasteriser: Rasteriser, layered: LayeredStill, view: View) -> tuple[float, int]:
    """-> share of the frame's pixels that show stretched texture, and number of uncovered pixels."""
    through = np.ones((view.height, view.width))
    stretched = np.zeros_like(through)
    for index in reversed(range(len(layered.layers))):
        alpha = draw_layer(rasteriser, index, view)[0][..., 3] / 255
        stretched += through * alpha * ratios(rasteriser, index, view, layered.layers[index])
        through *= 1 - alpha
    return float(stretched.mean()), int(np.count_nonzero(through > 0.5))


def ratios(rasteriser: Rasteriser, index: int, view: View, layer: Layer) -> np.ndarray:
    """(height, width) bool: True where the layer's nearest triangle is stretched."""
    out = np.zeros((view.height, view.width), bool)
    projected = rasteriser.project(index, view)
    if projected.left >= projected.right:
        return out
    frame = np.stack([projected.x, projected.y], -1).reshape(-1, 3, 2).astype(float)
    texture = (layer.uv * [layer.rgba.shape[1], layer.rgba.shape[0]]).reshape(-1, 3, 2).astype(float)
    bad = singular_ratio(frame[:, 1:] - frame[:, :1], texture[:, 1:] - texture[:, :1]) < STRETCHED
    # The kernel that draws interpolates what it is given: here the number of the triangle, the same at its corners.
    numbers = np.zeros((len(layer.vertices), 2), np.float32)
    numbers[:, 0] = np.repeat(np.arange(len(layer.faces)), 3)
    numbered = dataclasses.replace(projected, uv=numbers)
    for band in range(-(-view.height // BAND_ROWS)):
        rows = np.s_[band * BAND_ROWS:(band + 1) * BAND_ROWS, projected.left:projected.right]
        passes = np.full((min(BAND_ROWS, view.height - band * BAND_ROWS), view.width), 255, np.uint8)
        seen = np.ones([-(-size // kernel.BLOCK) for size in passes.shape], np.uint8)
        found = rasteriser.scan_band(numbered, band, passes, seen)
        if found is not None:
            z, q, u = (values[:, projected.left:projected.right] for values in found[:3])
            drawn = z > 0
            triangle = np.rint(np.where(drawn, u / np.where(drawn, q, 1), 0)).astype(int).clip(0, len(bad) - 1)
            out[rows] = drawn & bad[triangle]
    return out


def singular_ratio(frame: np.ndarray, texture: np.ndarray) -> np.ndarray:
    """Edges of triangles, (N, 2 edges, 2) each -> (N,) smaller over larger singular value of frame -> texture."""
    with np.errstate(divide="ignore", invalid="ignore"):
        determinant = frame[:, 0, 0] * frame[:, 1, 1] - frame[:, 0, 1] * frame[:, 1, 0]
        inverse = np.stack([frame[:, 1, 1], -frame[:, 0, 1], -frame[:, 1, 0], frame[:, 0, 0]], -1).reshape(-1, 2, 2)
        jacobian = inverse @ texture / determinant[:, None, None]
        # From the sum of squares and the determinant: s1^2 + s2^2 and s1 s2.
        squares, product = (jacobian**2).sum((1, 2)), np.abs(np.linalg.det(jacobian))
        larger = (squares + np.sqrt(np.maximum(squares**2 - 4 * product**2, 0))) / 2
        return np.where(np.isfinite(larger) & (larger > 0), product / larger, 0)


if __name__ == "__main__":
    main()
