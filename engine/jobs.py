"""One job: a frozen request in, a clip and its record out. Called by the server and by the command line alike."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from . import VERSION
from .camera import MOVES, Bounds, Intrinsics, Options, Shot, camera_path, limited
from .camera.intrinsics import DEFAULT_LENS_MM
from .camera.moves import Scene
from .errors import BadRequest, BadStill, JobCancelled
from .files import save_depth_picture, write_whole
from .protocol import CLIP_FORMATS, CameraMoveRequest

if TYPE_CHECKING:
    from .media.still import Still

Report = Callable[[str, int, int], None]  # stage, done, total

RELIEF = 4.0  # farthest over nearest depth: relative disparity 0..1 becomes 1/RELIEF..1 per scene unit
MAX_FRAMES = 100_000
MAX_SIDE = 16384
REDUCE_BELOW = 0.8  # a still this much larger than the clip can show is reduced first


class Stages:
    """Times the stages of a job, reports them and stops between two steps when the person cancelled."""

    def __init__(self, report: Report, cancelled: Callable[[], bool]) -> None:
        self._report, self._cancelled = report, cancelled
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Brackets a stage: 0 of 1 at its beginning; its seconds at its end."""
        self.step(name, 0, 1)
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)

    def step(self, name: str, done: int, total: int) -> None:
        """Reports a step. Raises JobCancelled."""
        if self._cancelled():
            raise JobCancelled
        self._report(name, done, total)


def run_job(job_id: str, request: CameraMoveRequest, report: Report, cancelled: Callable[[], bool]) -> dict[str, Any]:
    """Makes the clip; the result is described in docs/protocol.md.

    report: called with stage, done, total. cancelled: asked between any two steps. Raises a DioramaError or
    JobCancelled; nothing with the clip's name is left behind then.
    """
    from .depth.estimate import estimate_depth
    from .layers import build_layered_still
    from .media.clip import ClipWriter
    from .media.still import load_still
    from .render import Rasteriser

    check_request(request)
    clip = request.output.rstrip("/\\")
    stages = Stages(report, cancelled)
    warnings: list[str] = []
    with stages.stage("load"):
        still = load_still(request.image)
        still_size = [still.rgb.shape[1], still.rgb.shape[0]]
        still, rect, (width, height) = frame_still(still, request)
        still = reduced(still, width, height, request)
    # Opened before the long work: a read-only folder or a full disk is told at once.
    with ClipWriter(request.output, request.clip_format, width, height, request.frame_rate) as writer:
        with stages.stage("depth"):
            estimate = estimate_depth(still, request.depth)
        lens = estimate.lens_mm or still.lens_mm or DEFAULT_LENS_MM
        disparity = scene_disparity(estimate.relative_disparity)
        source_height, source_width = disparity.shape
        with stages.stage("layers"):
            layered = build_layered_still(still.rgb, disparity, Intrinsics.from_size(source_width, source_height, lens))
            rasteriser = Rasteriser(layered)
        with stages.stage("path"):
            bounds = Bounds.of(disparity)
            pivot = request.move.pivot if request.move.pivot >= 0 else central_disparity(estimate.relative_disparity)
            wish = shot_of(request, layered.intrinsics, (source_width, source_height), (width, height), pivot)
            shot = limited(wish, bounds, layered.margin_px)
            if shot.amount < wish.amount:
                warnings.append(
                    f"The move was limited to an amount of {shot.amount:.3f}, so that nothing outside the photo shows."
                )
            path = camera_path(shot, bounds)
        with stages.stage("render"):
            for index, view in enumerate(path):
                writer.write(rasteriser.frame(view))
                stages.step("render", index + 1, len(path))
        with stages.stage("write"):
            files = writer.commit()
            preview = save_depth_picture(clip + ".depth.png", estimate.relative_disparity)
    settings = dataclasses.asdict(request)
    settings["move"].update(amount=shot.amount, pivot=pivot)
    settings.update(width=width, height=height, lens_mm=lens)
    result = {
        "job_id": job_id,
        "engine_version": VERSION,
        "clip": clip,
        "files": files,
        "sidecar": clip + ".json",
        "num_frames": request.num_frames,
        "fps": list(request.fps),
        "width": width,
        "height": height,
        "rect": rect,
        "still_size": still_size,
        "depth_label": estimate.label,
        "depth_preview": preview,
        "settings": settings,
        "warnings": warnings,
        "seconds": stages.seconds,
    }
    record = json.dumps(result, indent=1, ensure_ascii=False)
    write_whole(result["sidecar"], record.encode())
    return json.loads(record)


def check_request(request: CameraMoveRequest) -> None:
    """Raises BadRequest for values that no job can work with; names of moves are checked where they are used."""
    if not 1 <= request.num_frames <= MAX_FRAMES:
        raise BadRequest(f"A clip of {request.num_frames} frames cannot be made.", f"Choose 1 to {MAX_FRAMES} frames.")
    if request.fps[0] <= 0 or request.fps[1] <= 0:
        raise BadRequest("The frame rate is not above zero.", "Choose a frame rate such as 24 or 24000/1001.")
    if request.clip_format not in CLIP_FORMATS:
        raise BadRequest(
            f"There is no clip format called '{request.clip_format}'.", f"Choose one of: {', '.join(CLIP_FORMATS)}."
        )
    if not 0 <= request.width <= MAX_SIDE or not 0 <= request.height <= MAX_SIDE:
        raise BadRequest(
            f"A clip of {request.width} x {request.height} pixels cannot be made.",
            f"Choose sides up to {MAX_SIDE} pixels.",
        )
    if request.move.pivot > 1:
        raise BadRequest(
            f"The pivot {request.move.pivot:g} lies outside the scene.", "Choose 0 (farthest) to 1 (nearest)."
        )
    for x, y, width, height in (request.move.crop_from, request.move.crop_to):
        if min(x, y) < 0 or min(width, height) <= 0 or x + width > 1.0001 or y + height > 1.0001:
            raise BadRequest(
                "A crop rectangle reaches outside the frame.", "Keep x, y, width and height within 0 to 1."
            )


def frame_still(still: Still, request: CameraMoveRequest) -> tuple[Still, list[int], tuple[int, int]]:
    """The part of the still that the clip shows, its place in the still (x, y, width, height), and the clip's size.

    A captured still is cut to what is opaque, on whole pixels of the project's frame and to even sides. It is cut
    inwards: the source strip lies below the clip and still shows in the pixel that is missing at an edge, whereas a
    pixel too many would be a black line there. What is still transparent (a rotated photo's corners) becomes black.
    """
    height, width = still.rgb.shape[:2]
    if not request.visible_only:
        rect = [0, 0, width, height]
        size = (request.width or width, request.height or height)
        return dataclasses.replace(still, rgb=over_black(still), alpha=None), rect, size
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
    """The request as the camera knows it. pivot: relative disparity, 0 far .. 1 near."""
    move = request.move
    return Shot(
        move.name,
        move.amount,
        move.easing,
        move.cycle,
        float(scene_disparity(np.array(pivot))),
        request.num_frames,
        request.num_frames / float(request.frame_rate),
        intrinsics,
        *source,
        *size,
        options_of(request),
    )


def scene_disparity(relative_disparity: np.ndarray) -> np.ndarray:
    """Relative disparity 0..1 -> disparity in 1 / scene unit: the nearest point at depth 1, the farthest at RELIEF."""
    return (1 / RELIEF + relative_disparity * (1 - 1 / RELIEF)).astype(np.float32)


def central_disparity(relative_disparity: np.ndarray) -> float:
    """The pivot when a person chose none: the median of the middle of the frame, where the subject usually is."""
    height, width = relative_disparity.shape
    middle = relative_disparity[height // 4 : max(height - height // 4, 1), width // 4 : max(width - width // 4, 1)]
    return float(np.median(middle))
