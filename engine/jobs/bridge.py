"""From one still into the next without a model: a camera move through both, or a dissolve."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ..errors import BadRequest
from ..protocol import BRIDGES, BridgeRequest, LayersRequest
from .checks import check_clip, check_count, check_names
from .stages import Stages, record
from .still import central_disparity, frame_still, geometry_of, over_black

if TYPE_CHECKING:
    from ..finish.bridge import Place
    from ..media.still import Still

RIM = 2             # pixels of the frame
LARGEST = 1.5       # a still that is larger than the frames by more than this is reduced first


def bridge(job_id: str, request: BridgeRequest, stages: Stages) -> dict[str, Any]:
    """Makes the clip. Raises a DioramaError or JobCancelled; nothing with its name is left behind then."""
    from ..finish.bridge import dissolve, push_through
    from ..finish.frames import fitted
    from ..media.clip import ClipWriter

    check_request(request)
    clip = request.output.rstrip("/\\")
    with stages.stage("load"):
        stills, rect, still_size, (width, height) = load_both(request)
        if not request.visible_only:
            width, height = request.width or width, request.height or height
    warnings: list[str] = []
    label = ""
    with ClipWriter(request.output, request.clip_format, width, height, request.frame_rate) as writer:
        frames: Iterator[np.ndarray]
        if request.method == "dissolve":
            one, other = (fitted(still.rgb, width, height) for still in stills)
            frames = dissolve(one, other, request.num_frames)
        else:
            with stages.stage("depth"):
                first, label, notes = place_of(stills[0], request, width, height)
                stages.step("depth", 1, 2)
                second, _, more = place_of(stills[1], request, width, height)
                warnings += dict.fromkeys((*notes, *more))
            seconds = request.num_frames / float(request.frame_rate)
            frames = push_through(first, second, request.num_frames, width, height, seconds, request.amount)
        with stages.stage("render"):
            for index, frame in enumerate(frames):
                writer.write(frame)
                stages.step("render", index + 1, request.num_frames)
        with stages.stage("write"):
            files = writer.commit()
    return record(
        job_id,
        clip + ".json",
        {
            "clip": clip,
            "files": files,
            "num_frames": request.num_frames,
            "fps": list(request.fps),
            "width": width,
            "height": height,
            "rect": rect,
            "still_size": still_size,
            "depth_label": label,
            "depth_preview": "",
            "settings": dataclasses.asdict(request),
            "warnings": warnings,
            "seconds": stages.seconds,
        },
    )


def check_request(request: BridgeRequest) -> None:
    """Raises BadRequest for values that no job can work with."""
    check_count(request.num_frames, least=2)
    check_clip(request)
    check_names((request.method, BRIDGES, "bridge"))
    if not 0 <= request.amount <= 1:
        raise BadRequest(f"The amount {request.amount:g} is out of range.", "Choose 0 to 1.")
    if request.depth.picture or request.depth.correction:
        raise BadRequest("A depth picture fits one still only.", "Choose a model of depth for a bridge.")


def load_both(request: BridgeRequest) -> tuple[list[Still], list[int], list[int], tuple[int, int]]:
    """Both stills, opaque; the part of the frame that either shows (x, y, width, height); the whole size; that part's
    size in pixels of the clip. A second still of another aspect is cropped to that of the first."""
    from ..finish.frames import fitted
    from ..media.still import load_still

    first, last = load_still(request.image), load_still(request.last_image)
    size = [first.width, first.height]
    if request.visible_only and (last.width, last.height) != (first.width, first.height):
        raise BadRequest("The two stills are not of one frame.", "Capture both from the same project.")
    shown: np.ndarray | None = None
    if request.visible_only and first.alpha is not None and last.alpha is not None:
        shown = np.maximum(first.alpha, last.alpha)
    both: list[Still] = []
    rect, cut = [0, 0, *size], (first.width, first.height)
    for still in (first, last):
        plain = dataclasses.replace(still, rgb=without_rim(still, request.frame_width), alpha=shown)
        plain, own_rect, own_cut = frame_still(plain, as_layers(request))
        if still is first:
            rect, cut = own_rect, own_cut
        both.append(plain)
    rgb = both[1].rgb
    if rgb.shape[1] * both[0].height != rgb.shape[0] * both[0].width:
        scale = min(rgb.shape[1] / both[0].width, rgb.shape[0] / both[0].height)
        rgb = fitted(rgb, max(1, round(both[0].width * scale)), max(1, round(both[0].height * scale)))
        both[1] = dataclasses.replace(both[1], rgb=rgb)
    return both, rect, size, cut


def without_rim(still: Still, frame_width: int) -> np.ndarray:
    """(H, W, 3) uint8, over black, but a rim that is half transparent has the colours beside it: Blender blends the
    last pixel of a scaled photo with nothing, and mirrored into the picture that would be a dark line."""
    rgb = over_black(still)
    if still.alpha is None:
        return rgb
    solid, seen = still.alpha == still.alpha.max(), still.alpha > 0
    size = 2 * RIM * max(1, round(still.width / (frame_width or still.width))) + 1
    near = cv2.dilate(solid.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    rim = seen & ~solid & near
    _, labels = cv2.distanceTransformWithLabels((~solid).astype(np.uint8), cv2.DIST_L2, 5,
                                                labelType=cv2.DIST_LABEL_PIXEL)
    colours = np.zeros((labels.max() + 1, 3), np.uint8)
    colours[labels[solid]] = rgb[solid]
    rgb = rgb.copy()
    rgb[rim] = colours[labels[rim]]
    return rgb


def as_layers(request: BridgeRequest) -> LayersRequest:
    """What the two share with a layered still: how they were captured, and their depth."""
    return LayersRequest("", "", request.depth, request.visible_only, request.frame_width, request.frame_height)


def place_of(still: Still, request: BridgeRequest, width: int, height: int) -> tuple[Place, str, tuple[str, ...]]:
    """A still with its depth, where its depth came from, and sentences for the person."""
    from ..finish.bridge import Place

    if min(still.width / width, still.height / height) > LARGEST:
        still = still.fitted(round(width * LARGEST), round(height * LARGEST))
    whole = [0, 0, still.width, still.height]
    geometry = geometry_of(still, as_layers(request), whole, whole[2:])
    pivot = geometry.disparity_at(central_disparity(geometry.relative_disparity))
    return Place(still.rgb, geometry.disparity, pivot, geometry.intrinsics), geometry.label, geometry.warnings
