"""A still becomes a clip: a move through the still's depth."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ..camera import MOVES, Bounds, Intrinsics, Options, Shot, camera_path, limited
from ..camera.moves import Scene
from ..errors import BadRequest
from ..files import save_depth_picture
from ..protocol import CameraMoveRequest
from .checks import check_clip, check_count
from .lens import check_lens, chosen_disparity, lens_of
from .stages import Stages, record
from .still import RELIEF, frame_still, geometry_of

if TYPE_CHECKING:
    from ..media.still import Still

REDUCE_BELOW = 0.8  # a still this much larger than the clip can show is reduced first


def camera_move(job_id: str, request: CameraMoveRequest, stages: Stages) -> dict[str, Any]:
    """Makes the clip. Raises a DioramaError or JobCancelled; nothing with the clip's name is left behind then."""
    from ..layers import build_layered_still, open_painter
    from ..media.clip import ClipWriter
    from ..media.still import load_still
    from ..render import Rasteriser
    from ..render.lens import frame_maker

    check_request(request)
    clip = request.output.rstrip("/\\")
    with stages.stage("load"):
        still = load_still(request.image)
        still_size = [still.rgb.shape[1], still.rgb.shape[0]]
        still, rect, (width, height) = frame_still(still, request)
        if not request.visible_only:
            width, height = request.width or width, request.height or height
        still = reduced(still, width, height, request)
        painter = open_painter(request.fill, lambda: stages.step("layers", 0, 1))
    # Opened before the long work: a read-only folder or a full disk is told at once.
    with ClipWriter(request.output, request.clip_format, width, height, request.frame_rate) as writer:
        with stages.stage("depth"):
            geometry = geometry_of(still, request, rect, still_size)
        warnings = list(geometry.warnings)
        disparity = geometry.disparity
        source_height, source_width = disparity.shape
        with stages.stage("layers"):
            layered = build_layered_still(still.rgb, disparity, geometry.intrinsics, painter=painter)
            warnings += painter.warnings if painter else []
            rasteriser = Rasteriser(layered)
        with stages.stage("path"):
            bounds = Bounds.of(disparity)
            pivot = chosen_disparity(
                geometry.relative_disparity, request.move.pivot, request.move.pivot_point, rect, still_size
            )
            wish = shot_of(
                request,
                layered.intrinsics,
                (source_width, source_height),
                (width, height),
                geometry.disparity_at(pivot),
            )
            shot = limited(wish, bounds, layered.margin_px)
            if shot.amount < wish.amount:
                warnings.append(
                    f"The move was limited to an amount of {shot.amount:.3f}, so that nothing outside the photo shows."
                )
            path = camera_path(shot, bounds)
            focus, lens = lens_of(request, geometry, pivot, rect, still_size)
            frame_of = frame_maker(rasteriser, lens)
        with stages.stage("render"):
            for index, view in enumerate(path):
                writer.write(frame_of(view))
                stages.step("render", index + 1, len(path))
        with stages.stage("write"):
            files = writer.commit()
            preview = save_depth_picture(clip + ".depth.png", geometry.relative_disparity)
    settings = dataclasses.asdict(request)
    settings["move"].update(amount=shot.amount, pivot=pivot)
    settings["lens"].update(focus=focus)
    settings.update(width=width, height=height, lens_mm=geometry.lens_mm)
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
            "depth_label": geometry.label,
            "depth_preview": preview,
            "settings": settings,
            "warnings": warnings,
            "seconds": stages.seconds,
        },
    )


def check_request(request: CameraMoveRequest) -> None:
    """Raises BadRequest for values that no job can work with; names of moves are checked where they are used."""
    check_count(request.num_frames)
    check_clip(request)
    if request.move.pivot > 1:
        raise BadRequest(
            f"The pivot {request.move.pivot:g} lies outside the scene.", "Choose 0 (farthest) to 1 (nearest)."
        )
    check_lens(request.lens)
    for x, y, width, height in (request.move.crop_from, request.move.crop_to):
        if min(x, y) < 0 or min(width, height) <= 0 or x + width > 1.0001 or y + height > 1.0001:
            raise BadRequest(
                "A crop rectangle reaches outside the frame.", "Keep x, y, width and height within 0 to 1."
            )


def reduced(still: Still, width: int, height: int, request: CameraMoveRequest) -> Still:
    """The still, no larger than the closest view of the move shows: time and memory follow the clip, not the photo."""
    source_height, source_width = still.rgb.shape[:2]
    closest = closest_share(request)
    scale = max(width / source_width, height / source_height) / closest
    if scale > REDUCE_BELOW:
        return still
    return still.fitted(round(source_width * scale), round(source_height * scale))


def closest_share(request: CameraMoveRequest) -> float:
    """The smallest part of the frame, as a share, that the move shows of the pivot plane."""
    move, settings = MOVES.get(request.move.name), request.move
    if move is None:
        return 1.0
    scene = Scene(1.0, 1 / RELIEF, 0.5, 1.0, 1.0, 1.0)
    amount = min(max(settings.amount, 0.0), move.most)
    return min(move.pose(u, amount, scene, options_of(request)).shown[2] for u in (0.0, 0.5, 1.0))


def options_of(request: CameraMoveRequest) -> Options:
    return Options(request.move.crop_from, request.move.crop_to, request.move.seed)


def shot_of(
    request: CameraMoveRequest, intrinsics: Intrinsics, source: tuple[int, int], size: tuple[int, int], pivot: float
) -> Shot:
    """The request as the camera knows it. pivot: disparity, 1 / scene unit."""
    move = request.move
    return Shot(
        move.name,
        move.amount,
        move.easing,
        move.cycle,
        pivot,
        request.num_frames,
        request.num_frames / float(request.frame_rate),
        intrinsics,
        *source,
        *size,
        options_of(request),
    )
