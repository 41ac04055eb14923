"""From a still and its depth to the geometry that every kind of job works with."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..camera import Intrinsics
from ..camera.intrinsics import DEFAULT_LENS_MM, FILM_WIDTH_MM
from ..errors import BadRequest, BadStill
from ..protocol import CameraMoveRequest, GenerateRequest, LayersRequest

if TYPE_CHECKING:
    from ..depth.estimate import DepthEstimate
    from ..media.still import Still

RELIEF = 4.0  # farthest over nearest depth: relative disparity 0..1 becomes 1/RELIEF..1 per scene unit


@dataclass(frozen=True)
class Geometry:
    """What is known of a still's space.

    relative_disparity: (H, W) float32, 0 = farthest .. 1 = nearest. far, near: the disparities in 1 / scene unit that
    these ends mean. intrinsics: of these H x W pixels. lens_mm: 35 mm equivalent along the longer side. label: where
    the depth came from. warnings: sentences.
    """

    relative_disparity: np.ndarray
    far: float
    near: float
    intrinsics: Intrinsics
    lens_mm: float
    label: str
    warnings: tuple[str, ...] = ()

    @property
    def disparity(self) -> np.ndarray:
        """(H, W) float32, 1 / scene unit."""
        return (self.far + self.relative_disparity * (self.near - self.far)).astype(np.float32)

    def disparity_at(self, relative: float) -> float:
        return self.far + relative * (self.near - self.far)


def geometry_of(
    still: Still, request: CameraMoveRequest | LayersRequest, rect: list[int], full_size: list[int]
) -> Geometry:
    """The depth and the camera of a still.

    still: what frame_still() gave, perhaps reduced. rect: the part of the whole still that it shows, x, y, width,
    height. full_size: width, height of the whole still, which request.intrinsics and request.z_picture belong to.
    """
    from ..depth.estimate import estimate_depth, shaped

    height, width = still.rgb.shape[:2]
    estimate: DepthEstimate | None = None
    if request.z_picture:
        from ..depth.exact import disparity_from_z

        disparity = disparity_from_z(request.z_picture, rect, full_size, (height, width))
        far, near = float(disparity.min()), float(disparity.max())
        relative = shaped(((disparity - far) / (near - far)).astype(np.float32), request.depth)
        label, warnings = "scene depth", ()
    else:
        estimate = estimate_depth(still, request.depth)
        relative, far, near = estimate.relative_disparity, 1 / RELIEF, 1.0
        label, warnings = estimate.label, estimate.warnings
    if request.intrinsics:
        given = np.array(request.intrinsics)
        if given.shape != (4,) or not np.isfinite(given).all() or given[:2].min() <= 0:
            raise BadRequest("The still's camera is none.", "Give fx, fy, cx, cy in pixels, the first two above 0.")
        camera = Intrinsics(*request.intrinsics).cropped(rect[0], rect[1]).resized(width / rect[2], height / rect[3])
        lens = camera.fx * FILM_WIDTH_MM / max(width, height)
    else:
        lens = (estimate.lens_mm if estimate else None) or still.lens_mm or DEFAULT_LENS_MM
        camera = Intrinsics.from_size(width, height, lens)
    return Geometry(relative, far, near, camera, lens, label, warnings)


def frame_still(
    still: Still, request: CameraMoveRequest | LayersRequest | GenerateRequest
) -> tuple[Still, list[int], tuple[int, int]]:
    """The part of the still to be shown, its place in the still (x, y, width, height), and its size in frame pixels.

    A captured still is cut to what is opaque, on whole pixels of the project's frame and to even sides. It is cut
    inwards: the source strip lies below the clip and still shows in the pixel that is missing at an edge, whereas a
    pixel too many would be a black line there. What is still transparent (a rotated photo's corners) becomes black.
    """
    height, width = still.rgb.shape[:2]
    if not request.visible_only:
        rect = [0, 0, width, height]
        return dataclasses.replace(still, rgb=over_black(still), alpha=None), rect, (width, height)
    alpha = np.full((height, width), 255, np.uint8) if still.alpha is None else still.alpha
    visible = alpha == alpha.max() if alpha.any() else alpha > 0
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    if not len(rows):
        raise BadStill(
            "The strip shows nothing at its first frame.", "Move, scale or unmute it so that the photo is in the frame."
        )
    density = max(1, round(width / (request.frame_width or width)))
    left, across = even_part(int(columns[0]), int(columns[-1]) + 1, density, width)
    top, down = even_part(int(rows[0]), int(rows[-1]) + 1, density, height)
    cut = dataclasses.replace(still, rgb=over_black(still)[top : top + down, left : left + across], alpha=None)
    return cut, [left, top, across, down], (max(1, across // density), max(1, down // density))


def even_part(start: int, end: int, density: int, limit: int) -> tuple[int, int]:
    """(start, size) of the largest part of start..end that has an even number of whole frame pixels, at least two."""
    start = min(-(-start // density) * density, max(limit - 2 * density, 0))
    size = max((end - start) // (2 * density), 1) * 2 * density
    return start, min(size, limit - start)


def over_black(still: Still) -> np.ndarray:
    """(H, W, 3) uint8: the still over black."""
    if still.alpha is None:
        return still.rgb
    return ((still.rgb.astype(np.uint16) * still.alpha[..., None] + 127) // 255).astype(np.uint8)


def scene_disparity(relative_disparity: np.ndarray) -> np.ndarray:
    """Relative disparity 0..1 -> disparity in 1 / scene unit: the nearest point at depth 1, the farthest at RELIEF."""
    return (1 / RELIEF + relative_disparity * (1 - 1 / RELIEF)).astype(np.float32)


def central_disparity(relative_disparity: np.ndarray) -> float:
    """The pivot when a person chose none: the median of the middle of the frame, where the subject usually is."""
    height, width = relative_disparity.shape
    middle = relative_disparity[height // 4 : max(height - height // 4, 1), width // 4 : max(width - width // 4, 1)]
    return float(np.median(middle))
