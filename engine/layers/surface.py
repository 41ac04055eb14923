"""One layer before it becomes a texture and a mesh, and the soft blend where it ends."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from .edges import Labels
from .fill import continue_surface, enlarge, reduce_mask, reduce_values, sample, work_factor
from .lines import carry_colours

SEAM_PX = 3                 # how far a layer reaches over the next one where both are one surface
REACH_SHARE = 0.08          # how far a layer goes on behind nearer ones, of the longer side; layer 0 does everywhere
SOURCE_PX = 6               # how deep the strip along a silhouette is from which the fill is taken, and twice CLEAN_PX
NOISE = 20.0                # grey levels: colours of front and back that differ less do not tell them apart
MISFIT = 4.0                # weight of what front and back together cannot explain, against the depth's own cut
CARRIED = 0.5               # share of the lines in what is predicted
DISTRUST = 0.2              # by how much the depth's cut counts more with every pixel from it

Part = tuple[slice, slice]


@dataclass
class Surface:
    """The pixels of one layer, continued where nearer layers hide it. All but `part` cover that part of the picture.

    colour: (h, w, 3) uint8. near: (h, w) float32, disparity. alpha: (h, w) uint8. behind, front: reduced pictures
    (., ., 4) float32 of the surface without what shows through or over it at silhouettes; behind is continued under
    nearer layers, front outwards. hidden: (h, w) bool, where nearer layers hide it.
    """

    index: int
    part: Part
    colour: np.ndarray
    near: np.ndarray
    alpha: np.ndarray
    behind: np.ndarray
    front: np.ndarray
    factor: int
    hidden: np.ndarray


def make_surfaces(colour: np.ndarray, near: np.ndarray, labels: Labels, clean_px: float) -> list[Surface]:
    """colour: (H, W, 3) uint8. near: (H, W) float32; H and W are multiples of work_factor().
    clean_px: colours mix up to this far from a silhouette."""
    factor = work_factor(near.shape)
    sides = labels.far_layer(), labels.near_layer()
    hidden = _hidden_parts(labels, factor)
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        made = [pool.submit(_make_surface, index, colour, near, labels, sides, hidden[index], clean_px, factor)
                for index in range(len(hidden))]
        return [surface for surface in (one.result() for one in made) if surface is not None]


def _make_surface(index: int, colour: np.ndarray, near: np.ndarray, labels: Labels,
                  sides: tuple[np.ndarray, np.ndarray], hidden: np.ndarray, clean_px: float, factor: int
                  ) -> Surface | None:
    """Layer `index`; None if no pixel shows it. sides: layers of the nearest far and of the nearest near pixel."""
    own = labels.layer == index
    if not own.any():
        return None
    shown = np.ones_like(own)
    part = (slice(0, near.shape[0]), slice(0, near.shape[1]))
    if index:
        shown = own | hidden | _seam(own, labels, index)
        part = _bounds(shown, 2 * factor + int(4 * clean_px) + SEAM_PX, factor)
    own, hidden, shown = own[part], hidden[part], shown[part]
    mixed = own & (labels.to_near[part] <= clean_px) & (sides[1][part] > index)
    clean = own & ~((labels.to_far[part] <= clean_px) & (sides[0][part] < index))
    strip = own & ~mixed & (labels.to_far[part] <= 2 * clean_px + SOURCE_PX * factor)
    inputs = colour[part], near[part]
    front = behind = np.zeros((0, 0, 4), np.float32)
    nothing = np.zeros_like(own)
    if index:
        front = _continued(*inputs, clean if clean.any() else own, nothing, factor)
    if (labels.layer[part] > index).any():
        behind = _predicted(*inputs, own & ~mixed, strip if strip.any() else own, hidden | mixed, factor)
    colour, near = inputs[0].copy(), inputs[1].copy()
    _put(behind, hidden, colour, near, factor)
    if index:
        _put(_continued(colour, near, shown, nothing, factor), ~shown, colour, near, factor)
    return Surface(index, part, colour, near, shown.view(np.uint8) * np.uint8(255), behind, front, factor, hidden)


def _continued(colour: np.ndarray, near: np.ndarray, source: np.ndarray, wanted: np.ndarray, factor: int) -> np.ndarray:
    values, known = reduce_values(colour, near, source, factor)
    return continue_surface(values, known, (reduce_mask(wanted, factor) > 0) & ~known)


def _predicted(colour: np.ndarray, near: np.ndarray, own: np.ndarray, source: np.ndarray, wanted: np.ndarray,
               factor: int) -> np.ndarray:
    """What a surface is where it is hidden: the mean of its smooth continuation and of what lines carry there."""
    values, known = reduce_values(colour, near, source, factor)
    covered = reduce_mask(wanted, factor) > 0
    behind = continue_surface(values, known, covered & ~known)
    whole, own = reduce_values(colour, near, own, factor)
    whole[known] = values[known]
    carried = carry_colours(np.ascontiguousarray(whole[..., :3]), own, known, covered & ~own)
    share = CARRIED * carried[..., 3:]
    behind[..., :3] += share * (carried[..., :3] - behind[..., :3])
    return behind


def _put(source: np.ndarray, place: np.ndarray, colour: np.ndarray, near: np.ndarray, factor: int) -> None:
    """Write a reduced picture (h, w, 4) into colour (H, W, 3) and near (H, W) where `place` is set."""
    if place.any():
        chosen = place.view(np.uint8)
        cv2.copyTo(enlarge(np.rint(source[..., :3]).clip(0, 255).astype(np.uint8), factor), chosen, colour)
        cv2.copyTo(enlarge(np.ascontiguousarray(source[..., 3]), factor), chosen, near)


def _bounds(mask: np.ndarray, extra: int, factor: int) -> Part:
    """The set pixels and `extra` around them, widened to multiples of factor."""
    lines = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    first = [max(int(line[0]) - extra, 0) // factor * factor for line in lines]
    last = [min(-(-(int(line[-1]) + 1 + extra) // factor) * factor, size)
            for line, size in zip(lines, mask.shape, strict=True)]
    return slice(first[0], last[0]), slice(first[1], last[1])


def _hidden_parts(labels: Labels, factor: int) -> list[np.ndarray]:
    """For every layer, (H, W) bool: where it goes on behind nearer ones.

    Layer 0 does everywhere. Of the others each goes on where its silhouette-side edge is closer than that of any layer
    farther back; nearer layers may go on in front of it.
    """
    shape = labels.layer.shape
    count = int(labels.layer.max()) + 1
    closest = np.full((shape[0] // factor, shape[1] // factor), REACH_SHARE * max(shape) / factor, np.float32)
    parts = []
    for index in range(count):
        over = labels.layer > index
        edge = reduce_mask(labels.far & (labels.layer == index), factor) > 0
        if not edge.any():
            parts.append(over if index == 0 else np.zeros_like(over))
            continue
        away = cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5)
        if index:
            there = enlarge((away <= closest).astype(np.uint8), factor) > 0
            parts.append(over & there)
        else:
            parts.append(over)
        closest = np.minimum(closest, away)
    return parts


def _seam(own: np.ndarray, labels: Labels, index: int) -> np.ndarray:
    """Pixels of lower layers next to this one that are the same surface: the layer reaches over them."""
    kernel = np.ones((2 * SEAM_PX + 1, 2 * SEAM_PX + 1), np.uint8)
    grown = cv2.dilate(own.astype(np.uint8), kernel) > 0
    barrier = cv2.dilate((labels.far & (labels.layer < index)).astype(np.uint8), kernel) > 0
    return grown & (labels.layer < index) & ~barrier


def blend_silhouettes(surfaces: list[Surface], colour: np.ndarray, labels: Labels, clean_px: float) -> None:
    """Give silhouettes the soft alpha that the photo has, and take each side's colour out of the other.

    At a pixel near a silhouette the photo is alpha * front + (1 - alpha) * back. Front and back are continued from
    clean pixels on either side; alpha is the photo's place between them (the projection of Bayesian matting, Chuang et
    al., 2001, with one cluster a side), pulled to the cut in the depth the less front and back differ. What is left
    over goes to the side that shows more, so that front over back is the photo again.
    """
    near_band = labels.to_near <= clean_px
    rows, columns = np.nonzero(near_band | (labels.to_far <= clean_px))
    layer = labels.layer[rows, columns]
    flat = labels.layer.reshape(-1)
    near_layer, far_layer = flat[labels.near_index[rows, columns]], flat[labels.far_index[rows, columns]]
    outside = near_band[rows, columns] & (near_layer > layer)
    inside = (labels.to_far[rows, columns] <= clean_px) & (far_layer < layer) & ~outside
    front_index = np.where(outside, near_layer, layer)
    back_index = np.where(outside, layer, far_layer)
    distance = np.where(outside, labels.to_near[rows, columns], labels.to_far[rows, columns])
    for front in surfaces:
        for back in surfaces:
            here = (outside | inside) & (front_index == front.index) & (back_index == back.index)
            if back.index < front.index and here.any():
                _blend(front, back, colour, rows[here], columns[here], inside[here].astype(np.float32), distance[here])


def _blend(front: Surface, back: Surface, photo: np.ndarray, rows: np.ndarray, columns: np.ndarray, prior: np.ndarray,
           distance: np.ndarray) -> None:
    """One pair of layers at the pixels rows, columns (n,). prior: (n,), 1 on the near side of the cut, 0 on the far
    side. distance: (n,), from the cut, pixels."""
    front_at = rows - front.part[0].start, columns - front.part[1].start
    back_at = rows - back.part[0].start, columns - back.part[1].start
    seen = photo[rows, columns].astype(np.float32)
    f = sample(front.front, *front_at, front.factor)[:, :3]
    b = sample(back.behind, *back_at, back.factor)[:, :3]
    span = f - b
    strength = (span * span).sum(1)
    along = ((seen - b) * span).sum(1) / np.maximum(strength, 1e-3)
    misfit = (((seen - b) - np.clip(along, 0, 1)[:, None] * span) ** 2).sum(1)
    doubt = NOISE * NOISE + MISFIT * misfit + DISTRUST * (distance - 1) * strength
    alpha = np.clip((along * strength + prior * doubt) / (strength + doubt), 0, 1)
    alpha = np.where(alpha < 0.02, 0, np.where(alpha > 0.98, 1, np.rint(alpha * 255) / 255))[:, None]
    mostly = alpha >= 0.5
    f = np.where(mostly, (seen - (1 - alpha) * b) / np.maximum(alpha, 0.5), f)
    b = np.where(mostly, b, (seen - alpha * f) / np.maximum(1 - alpha, 0.5))
    front.colour[front_at] = np.clip(np.rint(f), 0, 255)
    back.colour[back_at] = np.clip(np.rint(b), 0, 255)
    front.alpha[front_at] = np.rint(alpha[:, 0] * 255)
