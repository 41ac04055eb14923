"""A still becomes a layered still on disk: what Blender's rig loads and the path job renders."""

from __future__ import annotations

import dataclasses
import secrets
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..camera import Bounds
from ..errors import BadRequest, OutputFailed
from ..files import save_array, save_picture, write_whole
from ..protocol import LayersRequest
from .lens import chosen_disparity
from .stages import Stages, record
from .still import frame_still, geometry_of


def layers(job_id: str, request: LayersRequest, stages: Stages) -> dict[str, Any]:
    """Makes the folder: the layered still, still.png, disparity.npy and depth.png.

    Raises a DioramaError or JobCancelled; nothing new with the folder's name is left behind then.
    """
    from ..layers import build_layered_still, open_painter
    from ..media.still import load_still

    if request.pivot > 1 or min(request.max_width, request.max_height) < 0:
        raise BadRequest(
            "The pivot or the largest size is out of range.", "Choose a pivot of 0 to 1 and sizes above 0."
        )
    folder = Path(request.output)
    with stages.stage("load"):
        still = load_still(request.image)
        still_size = [still.rgb.shape[1], still.rgb.shape[0]]
        still, rect, size = frame_still(still, request)
        if request.max_width or request.max_height:
            still = still.fitted(request.max_width or still.width, request.max_height or still.height)
        painter = open_painter(request.fill, lambda: stages.step("layers", 0, 1))
    part = _stage_folder(folder)
    try:
        with stages.stage("depth"):
            geometry = geometry_of(still, request, rect, still_size)
        with stages.stage("layers"):
            disparity = geometry.disparity
            layered = build_layered_still(still.rgb, disparity, geometry.intrinsics, painter=painter)
        with stages.stage("write"):
            layered.save(part)
            save_picture(str(part / "still.png"), still.rgb)
            save_array(str(part / "disparity.npy"), disparity)
            save_depth_16(str(part / "depth.png"), geometry.relative_disparity)
            stages.step("write", 1, 1)
            _publish(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    relative = geometry.relative_disparity
    pivot = chosen_disparity(relative, request.pivot, request.pivot_point, rect, still_size)
    settings = dataclasses.asdict(request) | {"pivot": pivot, "lens_mm": geometry.lens_mm}
    return record(
        job_id,
        f"{folder}.json",
        {
            "folder": str(folder),
            "files": sorted(str(path) for path in folder.iterdir()),
            "rect": rect,
            "still_size": still_size,
            "size": list(size),
            "width": layered.width,
            "height": layered.height,
            "lens_mm": geometry.lens_mm,
            "intrinsics": list(dataclasses.astuple(layered.intrinsics)),
            "margin_px": layered.margin_px,
            "pivot": geometry.disparity_at(pivot),
            "bounds": dataclasses.asdict(Bounds.of(disparity)),
            "depth_label": geometry.label,
            "depth_preview": str(folder / "depth.png"),
            "settings": settings,
            "warnings": [*geometry.warnings, *(painter.warnings if painter else ())],
            "seconds": stages.seconds,
        },
    )


def save_depth_16(path: str, relative_disparity: np.ndarray) -> str:
    """(H, W) 0..1 -> 16-bit PNG, near = bright. Raises OutputFailed."""
    levels = np.rint(relative_disparity.clip(0, 1) * 65535).astype(np.uint16)
    return write_whole(path, cv2.imencode(".png", levels)[1].tobytes())


def _stage_folder(folder: Path) -> Path:
    """An empty folder beside the final one, made before the long work: a read-only disk is told at once."""
    part = folder.parent / f".diorama-{secrets.token_hex(6)}.part"
    try:
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(f"'{folder.name}' is a file")
        if folder.is_dir() and any(folder.iterdir()) and not (folder / "layers.json").is_file():
            raise FileExistsError("a folder with other files in it has that name")
        part.mkdir(parents=True)
    except OSError as error:
        raise _refused(folder, error) from error
    return part


def _publish(part: Path, folder: Path) -> None:
    """Gives the folder its final name; an older one goes only once the new one is whole."""
    old = folder.parent / f"{part.name}.old"
    try:
        if folder.exists():
            folder.rename(old)
        try:
            part.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
    except OSError as error:
        raise _refused(folder, error) from error
    shutil.rmtree(old, ignore_errors=True)


def _refused(folder: Path, error: OSError) -> OutputFailed:
    return OutputFailed(
        f"The layered still cannot be written to {folder}: {error.strerror or error}.",
        "Choose a folder that can be written and has room.",
    )
