"""The rig's camera as it really is at each frame, whatever keys, constraints, noise or drivers make it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np

from ..engine.camera import View
from ..engine.camera.intrinsics import FILM_WIDTH_MM
from ..engine.errors import BadSelection
from .axes import Lens, intrinsics_of, world2cam_of


def check_camera(scene: Any, camera: Any = None) -> Any:
    """The camera that renders (camera: another one than the scene's own); raises BadSelection with one sentence if it
    cannot."""
    camera = camera or scene.camera
    if camera is None or camera.type != "CAMERA":
        raise BadSelection(f"The scene '{scene.name}' has no camera.", "Choose one in its Scene properties.")
    kind = camera.data.type
    if kind != "PERSP":
        words = {"ORTHO": "orthographic", "PANO": "panoramic"}
        raise BadSelection(
            f"'{camera.name}' is {words.get(kind, kind.lower())}; Diorama needs a perspective camera.",
            "Set its lens type to Perspective.",
        )
    if min(size_of(scene)) < 1:  # 4 pixels at 1 %
        raise BadSelection(f"The render size of '{scene.name}' is zero.", "Set a size in its Output properties.")
    return camera


def size_of(scene: Any) -> tuple[int, int]:
    """Width and height of a render of the scene, pixels."""
    share = scene.render.resolution_percentage / 100
    return int(scene.render.resolution_x * share), int(scene.render.resolution_y * share)


def view_of(scene: Any, camera: Any, depsgraph: Any, width: int, height: int) -> View:
    """The evaluated camera at the scene's frame, as an OpenCV camera of width x height pixels."""
    evaluated = camera.evaluated_get(depsgraph)
    data = evaluated.data
    matrix = np.array(evaluated.matrix_world, np.float64)
    lens = _lens(data, scene.render, width, height)
    return View(world2cam_of(matrix), intrinsics_of(lens, width, height), width, height)


def evaluated_views(scene: Any, camera: Any, frames: Sequence[int], width: int, height: int) -> list[View]:
    """One view per frame; camera: None = the scene's own. The scene is stepped through and goes back to its frame.

    Raises BadSelection as check_camera().
    """
    camera = check_camera(scene, camera)
    before = scene.frame_current, scene.frame_subframe
    depsgraph = _layer_of(scene).depsgraph
    views: list[View] = []
    try:
        for frame in frames:
            scene.frame_set(frame)
            depsgraph.update()
            views.append(view_of(scene, camera, depsgraph, width, height))
    finally:
        scene.frame_set(before[0], subframe=before[1])
    return views


def _layer_of(scene: Any) -> Any:
    for window in bpy.context.window_manager.windows:
        if window.scene == scene:
            return window.view_layer
    return scene.view_layers[0]


def _lens(data: Any, render: Any, width: int, height: int) -> Lens:
    """Any sensor and fit as the same lens with a horizontal fit and a sensor of FILM_WIDTH_MM."""
    aspect_x, aspect_y = render.pixel_aspect_x, render.pixel_aspect_y
    wide = width * aspect_x >= height * aspect_y
    fit = data.sensor_fit if data.sensor_fit != "AUTO" else "HORIZONTAL" if wide else "VERTICAL"
    sensor = data.sensor_height if data.sensor_fit == "VERTICAL" else data.sensor_width
    # Blender measures lens and shift along the side that is fitted.
    share = 1.0 if fit == "HORIZONTAL" else height * aspect_y / (width * aspect_x)
    lens = data.lens / sensor * FILM_WIDTH_MM * share
    return Lens(lens, data.shift_x * share, data.shift_y * share, aspect_x, aspect_y)
