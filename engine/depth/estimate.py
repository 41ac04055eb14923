"""One door to depth: the draft, a learned model, or a picture that a person supplies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.errors import BadRequest
from engine.media.still import Still
from engine.protocol import DepthSettings

VISIBLE_ALPHA = 8           # of 255; what is fainter tells nothing about depth


@dataclass(frozen=True)
class DepthEstimate:
    """Depth of one still.

    relative_disparity: (H, W) float32, 0 = farthest .. 1 = nearest. label: "draft", "picture" or the model's name,
    shown to people. lens_mm: 35 mm equivalent along the longer side where the model tells it. warnings: sentences.
    """

    relative_disparity: np.ndarray
    label: str
    lens_mm: float | None = None
    warnings: tuple[str, ...] = ()


def estimate_depth(still: Still, settings: DepthSettings,
                   report: Callable[[str], None] | None = None) -> DepthEstimate:
    """Depth of a still, shaped as the settings say. report: called with a sentence when a slow step begins.

    What is transparent is not looked at; its depth is carried on from beside it.
    Raises BadRequest for settings out of range, BadDepth, WeightsMissing, OutOfMemory.
    """
    check_settings(settings)
    if settings.picture:
        from engine.depth.picture import read_depth_picture

        depth = read_depth_picture(settings.picture, settings.near_is_bright, (still.height, still.width))
        found = DepthEstimate(depth, "picture")
    else:
        rgb, border = _visible_part(still)
        if settings.model == "draft":
            from engine.depth.draft import draft_depth

            found = DepthEstimate(draft_depth(rgb), "draft")
        else:
            from engine.depth.learned import learned_depth

            found = learned_depth(rgb, settings.model, report)
        if any(border[0] + border[1]):
            found = replace(found, relative_disparity=np.pad(found.relative_disparity, border, mode="edge"))
    return replace(found, relative_disparity=shaped(found.relative_disparity, settings))


def check_settings(settings: DepthSettings) -> None:
    """Raises BadRequest where near, far or gamma make no sense."""
    if not np.isfinite([settings.near, settings.far, settings.gamma]).all() or settings.near <= settings.far:
        raise BadRequest(f"Depth levels near {settings.near:g} and far {settings.far:g} leave no depth between them.",
                         "Set near above far; 1 and 0 keep all of it.")
    if not 0.05 <= settings.gamma <= 20:
        raise BadRequest(f"A depth gamma of {settings.gamma:g} is out of range.", "Use 0.05 to 20; 1 changes nothing.")


def shaped(relative_disparity: np.ndarray, settings: DepthSettings) -> np.ndarray:
    """What a person wants of a depth (H, W) float32: turned round, then near and far become 1 and 0 and what lies
    beyond is cut off, then gamma > 1 pushes the middle away, and last the paint-over. Raises BadDepth."""
    shaped = 1 - relative_disparity if settings.invert else relative_disparity
    if (settings.near, settings.far, settings.gamma) != (1.0, 0.0, 1.0):
        levels = np.clip((shaped - settings.far) / (settings.near - settings.far), 0, 1)
        shaped = np.power(levels, settings.gamma).astype(np.float32)
    if settings.correction:
        from engine.depth.correction import painted

        shaped = painted(shaped, settings.correction)
    return shaped


def _visible_part(still: Still) -> tuple[np.ndarray, tuple[tuple[int, int], tuple[int, int]]]:
    """The rectangle that is not transparent, its holes in the mean colour.

    Also what was cut off: (top, bottom), (left, right).
    """
    nothing = ((0, 0), (0, 0))
    if still.alpha is None:
        return still.rgb, nothing
    visible = still.alpha > VISIBLE_ALPHA
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    if not rows.size:                       # nothing to see: any depth will do
        return np.zeros_like(still.rgb), nothing
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    part, seen = still.rgb[top:bottom, left:right], visible[top:bottom, left:right]
    if not seen.all():
        part = part.copy()
        part[~seen] = part[seen].mean(axis=0).astype(np.uint8)
    return part, ((top, still.height - bottom), (left, still.width - right))
