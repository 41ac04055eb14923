"""What a person says about pivot and focus, found in the still's depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..depth.point import Point, disparity_at, is_chosen, within
from ..errors import BadRequest
from ..protocol import CameraMoveRequest, LensSettings
from .still import Geometry, central_disparity

if TYPE_CHECKING:
    from ..render.lens import Lens

WIDEST = 0.1                # f-stop: below it everything but the focus would be fog


def check_lens(lens: LensSettings) -> None:
    """Raises BadRequest for values that no lens has."""
    if not (lens.f_stop == 0 or WIDEST <= lens.f_stop < np.inf):
        raise BadRequest(f"There is no f-stop {lens.f_stop:g}.", f"Choose {WIDEST} or more, or 0 for no blur.")
    if not 0 <= lens.vignette <= 1:
        raise BadRequest(f"A vignette of {lens.vignette:g} is out of range.", "Choose 0 (none) to 1.")
    if not lens.focus <= 1:
        raise BadRequest(f"The focus {lens.focus:g} lies outside the scene.", "Choose 0 (farthest) to 1 (nearest).")


def chosen_disparity(
    relative: np.ndarray,
    value: float,
    point: Point,
    rect: list[int],
    full_size: list[int],
    default: float | None = None,
) -> float:
    """Relative disparity at the point where one is chosen, else the value, else the default: the picture's middle.

    relative: (H, W), of the part `rect` of a still of full_size (width, height), which the point belongs to.
    """
    if is_chosen(point):
        return disparity_at(relative, within(point, rect, full_size))
    if value >= 0:
        return value
    return central_disparity(relative) if default is None else default


def lens_of(
    request: CameraMoveRequest, geometry: Geometry, pivot: float, rect: list[int], full_size: list[int]
) -> tuple[float, Lens]:
    """The relative disparity in focus, and the lens. pivot: the relative disparity that is in focus by default."""
    from ..render.lens import Lens

    wanted = request.lens
    focus = chosen_disparity(
        geometry.relative_disparity, wanted.focus, wanted.focus_point, rect, full_size, default=pivot
    )
    point = (0.5, 0.5)
    if is_chosen(wanted.focus_point):
        point = within(wanted.focus_point, rect, full_size)
    elif wanted.focus < 0 and is_chosen(request.move.pivot_point):
        point = within(request.move.pivot_point, rect, full_size)
    height, width = geometry.relative_disparity.shape
    camera, z = geometry.intrinsics, 1 / geometry.disparity_at(focus)
    x = (point[0] * width - 0.5 - camera.cx) / camera.fx * z
    y = (point[1] * height - 0.5 - camera.cy) / camera.fy * z
    return focus, Lens(wanted.f_stop, (x, y, z), wanted.vignette)
