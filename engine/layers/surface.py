"""One layer before it becomes a texture and a mesh, and the soft blend where it ends."""

from __future__ import annotations

import cv2
import numpy as np

from .edges import Labels, nearest_pixel
from .fill import continue_surface

SEAM_PX = 3                 # how far a layer reaches over the next one where both are one surface
NOISE = 20.0                # grey levels: colours of front and back that differ less do not tell them apart
MISFIT = 4.0                # weight of what front and back together cannot explain, against the depth's own cut
DISTRUST = 0.2              # by how much the depth's cut counts more with every pixel from it


class Surface:
    """The pixels of one layer, continued where nearer layers hide it. Arrays cover the whole extended frame.

    values: (H, W, 4) float32, red, green, blue, disparity. alpha: (H, W) float32, 0..1. shown: (H, W) bool, alpha before
    silhouettes were blended. front: (H, W, 3) float32, colour of the surface without what shines through at its
    silhouette, continued outwards (not for layer 0).
    """

    def __init__(self, index: int, colour: np.ndarray, near: np.ndarray, labels: Labels, clean_px: float,
                 hidden: np.ndarray) -> None:
        self.index = index
        own = labels.layer == index
        mixed = own & (labels.to_near <= clean_px) & (labels.near_layer() > index)
        self.shown = own | hidden | _seam(own, labels, index) if index else np.ones_like(own)
        values = np.dstack([colour, near]).astype(np.float32)
        if hidden.any():
            source = own & ~mixed & (labels.to_far <= 2 * clean_px + 6)
            if not source.any():
                source = own
            filled = continue_surface(values, source, hidden | mixed)
            self.behind = filled[..., :3]
            values = np.where(hidden[..., None], filled, values)
        known = self.shown
        if not known.all():
            values = values.reshape(-1, 4)[nearest_pixel(known)[1]]
        if index:
            clean = own & ~((labels.to_far <= clean_px) & (labels.far_layer() < index))
            front = values.reshape(-1, 4)[nearest_pixel(clean if clean.any() else own)[1]]
            self.front = front[..., :3]
        self.values = values
        self.alpha = self.shown.astype(np.float32)


def hidden_parts(labels: Labels) -> list[np.ndarray]:
    """For every layer, (H, W) bool: where it goes on behind nearer ones.

    Layer 0 does everywhere. Of the others each goes on where its silhouette-side edge is closer than that of any layer
    farther back; nearer layers may go on in front of it.
    """
    count = int(labels.layer.max()) + 1
    closest = np.full(labels.layer.shape, np.inf, np.float32)
    parts = []
    for index in range(count):
        edge = labels.far & (labels.layer == index)
        away = cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5) if edge.any() else np.full_like(
            closest, np.inf)
        over = labels.layer > index
        parts.append(over & (away <= closest) & edge.any() if index else over)
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

    At a pixel near a silhouette the photo is alpha * front + (1 - alpha) * back. Front and back are continued from clean
    pixels on either side; alpha is the photo's place between them (the projection of Bayesian matting, Chuang et al.,
    2001, with one cluster a side), pulled to the cut in the depth the less front and back differ. What is left over goes
    to the side that shows more, so that front over back is the photo again, exactly.
    """
    photo = colour.astype(np.float32)
    far_layer, near_layer = labels.far_layer(), labels.near_layer()
    outside = (labels.to_near <= clean_px) & (near_layer > labels.layer)
    inside = (labels.to_far <= clean_px) & (far_layer < labels.layer) & ~outside
    distance = np.where(outside, labels.to_near, labels.to_far)
    for surface in surfaces:
        for back in surfaces:
            if back.index >= surface.index:
                break
            here = (outside & (near_layer == surface.index) & (labels.layer == back.index)) | (
                inside & (labels.layer == surface.index) & (far_layer == back.index))
            if here.any():
                _blend(surface, back, photo, here, inside[here].astype(np.float32), distance[here])


def _blend(front: Surface, back: Surface, photo: np.ndarray, here: np.ndarray, prior: np.ndarray,
           distance: np.ndarray) -> None:
    """One pair of layers at the pixels `here`. prior: (n,), 1 on the near side of the cut, 0 on the far side.
    distance: (n,), from the cut, pixels."""
    seen, f, b = photo[here], front.front[here], back.behind[here]
    span = f - b
    strength = (span * span).sum(1)
    along = ((seen - b) * span).sum(1) / np.maximum(strength, 1e-3)
    misfit = (((seen - b) - np.clip(along, 0, 1)[:, None] * span) ** 2).sum(1)
    doubt = NOISE * NOISE + MISFIT * misfit + DISTRUST * (distance - 1) * strength
    alpha = np.clip((along * strength + prior * doubt) / (strength + doubt), 0, 1)
    alpha[alpha < 0.02] = 0
    alpha[alpha > 0.98] = 1
    alpha = alpha[:, None]
    mostly = alpha >= 0.5
    f = np.where(mostly, (seen - (1 - alpha) * b) / np.maximum(alpha, 0.5), f)
    b = np.where(mostly, b, (seen - alpha * f) / np.maximum(1 - alpha, 0.5))
    front.values[here, :3] = np.clip(f, 0, 255)
    back.values[here, :3] = np.clip(b, 0, 255)
    front.alpha[here] = alpha[:, 0]
