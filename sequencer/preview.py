"""The Sequencer's preview: where on the frame a person clicked."""

from __future__ import annotations

from typing import Any

SHOWS_PREVIEW = ("PREVIEW", "SEQUENCER_PREVIEW")


def preview_regions(window: Any) -> list[Any]:
    """The visible preview regions of a window."""
    return [
        region
        for area in window.screen.areas
        if area.type == "SEQUENCE_EDITOR" and area.spaces.active.view_type in SHOWS_PREVIEW
        for region in area.regions
        if region.type == "PREVIEW" and min(region.width, region.height) > 1
    ]


def frame_point(window: Any, scene: Any, x: int, y: int) -> tuple[float, float] | None:
    """A place in the window, pixels, y up -> shares of the frame from its top left; None where no frame is shown."""
    for region in preview_regions(window):
        inside = region.x <= x < region.x + region.width and region.y <= y < region.y + region.height
        if inside:
            point = shares(region.view2d.region_to_view(x - region.x, y - region.y), scene.render)
            return point if min(point) >= 0 and max(point) <= 1 else None
    return None


def shares(place: tuple[float, float], render: Any) -> tuple[float, float]:
    """The preview's own coordinates (pixels of the frame from its centre, y up) -> shares from the top left."""
    width = render.resolution_x * render.pixel_aspect_x / render.pixel_aspect_y
    return place[0] / width + 0.5, 0.5 - place[1] / render.resolution_y
