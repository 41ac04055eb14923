"""`python -m engine depth`, `layers` and `render-view`: one still, its depth, its layers."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .cli_common import Result, numbers, tell
from .errors import BadRequest
from .protocol import DepthSettings


def add_still_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """The three commands. add: as in cli.build_parser."""
    depth = add("depth", run_depth, "Estimate relative disparity, larger = nearer.")
    depth.add_argument("--model", default="draft", help="draft, a model's id, or a folder (default: draft)")
    depth.add_argument("--out", required=True, metavar="D.npy")
    depth.add_argument("--preview", metavar="P.png", help="the same as a picture, near = bright")

    layers = add("layers", run_layers, "Cut a still into layers, filled behind their edges.")
    add_geometry(layers)
    layers.add_argument("--model", default="draft", help="where no geometry is given (default: draft)")
    layers.add_argument("--out", required=True, metavar="FOLDER")

    view = add("render-view", run_render_view, "Render a still with known geometry from another camera.")
    add_geometry(view)
    view.add_argument("--intrinsics", required=True, type=numbers(4), metavar="fx,fy,cx,cy")
    view.add_argument("--pose", required=True, metavar="POSE.json", help='{"world2cam": 4x4}, OpenCV axes')
    view.add_argument("--out", required=True, metavar="OUT.png")


def add_geometry(command: argparse.ArgumentParser) -> None:
    geometry = command.add_mutually_exclusive_group()
    geometry.add_argument("--disparity", metavar="D.npy", help="float (H, W), 1 / scene unit, larger = nearer")
    geometry.add_argument("--depth", metavar="Z.npy", help="float (H, W), scene units, larger = farther")
    add_fill(command)


def add_fill(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--fill", default="", metavar="PATH", help="an .onnx or a folder of diffusers that paints what is hidden"
    )


def run_depth(options: argparse.Namespace) -> Result:
    import numpy as np

    from .depth.estimate import estimate_depth
    from .files import save_array, save_depth_picture
    from .media.still import load_still

    still = load_still(options.image)
    estimate = estimate_depth(still, DepthSettings(model=options.model))
    files = [save_array(options.out, estimate.relative_disparity.astype(np.float32))]
    if options.preview:
        files.append(save_depth_picture(options.preview, estimate.relative_disparity))
    tell(f"{estimate.label} depth: {', '.join(files)}")
    return {
        "files": files,
        "depth_label": estimate.label,
        "lens_mm": estimate.lens_mm,
        "settings": {"image": options.image, "model": options.model},
    }


def run_layers(options: argparse.Namespace) -> Result:
    from .camera import Intrinsics
    from .depth.estimate import estimate_depth
    from .jobs import over_black, scene_disparity
    from .layers import build_layered_still, open_painter
    from .media.still import load_still

    still = load_still(options.image)
    height, width = still.rgb.shape[:2]
    disparity = read_geometry(options, (height, width))
    lens = still.lens_mm
    if disparity is None:
        estimate = estimate_depth(still, DepthSettings(model=options.model))
        disparity, lens = scene_disparity(estimate.relative_disparity), estimate.lens_mm or lens
    intrinsics = Intrinsics.from_size(width, height, lens) if lens else Intrinsics.from_size(width, height)
    painter = open_painter(options.fill)
    layered = build_layered_still(over_black(still), disparity, intrinsics, painter=painter)
    layered.save(options.out)
    for warning in painter.warnings if painter else ():
        tell(warning)
    files = sorted(str(path) for path in Path(options.out).iterdir())
    tell(f"{len(layered.layers)} layers: {options.out}")
    return {"files": files, "layers": len(layered.layers), "settings": {"image": options.image, "model": options.model}}


def run_render_view(options: argparse.Namespace) -> Result:
    from .camera import Intrinsics, View
    from .files import read_pose, save_picture
    from .jobs import over_black
    from .layers import build_layered_still, open_painter
    from .media.still import load_still
    from .render import Rasteriser

    still = load_still(options.image)
    height, width = still.rgb.shape[:2]
    disparity = read_geometry(options, (height, width))
    if disparity is None:
        raise BadRequest("No geometry was given.", "Give --disparity D.npy or --depth Z.npy.")
    intrinsics = Intrinsics(*options.intrinsics)
    layered = build_layered_still(over_black(still), disparity, intrinsics, painter=open_painter(options.fill))
    frame = Rasteriser(layered).frame(View(read_pose(options.pose), intrinsics, width, height))
    tell(f"view: {options.out}")
    return {
        "files": [save_picture(options.out, frame)],
        "settings": {"image": options.image, "intrinsics": list(options.intrinsics)},
    }


def read_geometry(options: argparse.Namespace, shape: tuple[int, int]) -> Any:
    """(H, W) float32 disparity from --disparity or --depth, or None. Raises BadDepth."""
    from .files import read_disparity

    if options.disparity:
        return read_disparity(options.disparity, shape, is_depth=False)
    return read_disparity(options.depth, shape, is_depth=True) if options.depth else None
