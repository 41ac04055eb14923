"""A strip as the user sees it: its still on disk, its span, its frame rate and frame size."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..engine.errors import BadSelection, OutputFailed
from . import compat

MOST_PIXELS = 4096 * 2304  # of a captured still; above it the doubled density would cost more time than detail is worth


@dataclass(frozen=True)
class StillSource:
    """image: the captured still, an RGBA TIFF of the whole frame, transparent where the strip shows nothing.

    fps: numerator, denominator. frame_width, frame_height: of the project; the still has this size or twice this size.
    """

    image: str
    left_handle: int
    num_frames: int
    fps: tuple[int, int]
    frame_width: int
    frame_height: int


def describe(scene: Any, strip: Any, image: Path, doubled: bool = True) -> StillSource:
    """Captures the strip's still into the file `image` and returns it with all that the clip must match.

    The still is the strip as shown at its first visible frame: with its transform, crop, mirror, colour, modifiers and
    their animation, but without its opacity (a fade-in would give nothing) and without its meta strips (the clip
    goes into the same meta strip). doubled: at twice the frame's size where the photo has that detail. Raises
    BadSelection, or OutputFailed when the file cannot be written.
    """
    frame = first_visible_frame(strip)
    if bpy.app.is_job_running("RENDER"):
        raise BadSelection("Blender is rendering.", "Wait for the render to end and try again.")
    try:
        image.parent.mkdir(parents=True, exist_ok=True)
        capture(scene, strip.name, frame, image, density(scene, strip) if doubled else 1)
    except (OSError, RuntimeError) as error:
        raise OutputFailed(
            f"The still of '{strip.name}' could not be written to {image.parent}: {error}",
            "Make room there, or choose another data folder in the preferences.",
        ) from error
    if not image.is_file():
        raise OutputFailed(f"Blender did not write the still of '{strip.name}' to {image.parent}.", "Try again.")
    return StillSource(
        str(image),
        compat.left_handle(strip),
        compat.right_handle(strip) - compat.left_handle(strip),
        frame_rate(scene),
        scene.render.resolution_x,
        scene.render.resolution_y,
    )


def capture_to(scene: Any, strip: Any, frame: int, image: Path, density: float = 1.0) -> None:
    """Captures a strip as the viewer sees it. density: as of capture(). Raises BadSelection, OutputFailed."""
    if bpy.app.is_job_running("RENDER"):
        raise BadSelection("Blender is rendering.", "Wait for the render to end and try again.")
    try:
        image.parent.mkdir(parents=True, exist_ok=True)
        capture(scene, strip.name, frame, image, density)
    except (OSError, RuntimeError) as error:
        raise OutputFailed(
            f"The picture of '{strip.name}' could not be written to {image.parent}: {error}",
            "Make room there, or choose another data folder in the preferences.",
        ) from error


def frame_rate(scene: Any) -> tuple[int, int]:
    """Frames a second of a scene: numerator, denominator."""
    rate = Fraction(scene.render.fps) / Fraction(scene.render.fps_base).limit_denominator(10_000)
    return rate.numerator, rate.denominator


def first_visible_frame(strip: Any) -> int:
    """The first frame at which the strip is seen, its meta strips considered. Raises BadSelection if there is none."""
    start, end, parent = compat.left_handle(strip), compat.right_handle(strip), strip.parent_meta()
    while parent is not None:
        start, end = max(start, compat.left_handle(parent)), min(end, compat.right_handle(parent))
        parent = parent.parent_meta()
    if start >= end:
        raise BadSelection(
            f"'{strip.name}' lies outside the visible part of its meta strip.", "Lengthen the meta strip and try again."
        )
    return start


def density(scene: Any, strip: Any) -> int:
    """Pixels of the captured still per pixel of the frame: 2 where the photo has that detail for a push-in, else 1."""
    scale = max(abs(strip.transform.scale_x), abs(strip.transform.scale_y))
    doubled = 4 * scene.render.resolution_x * scene.render.resolution_y
    return 2 if scale <= 0.5 and doubled <= MOST_PIXELS else 1


def capture(scene: Any, name: str, frame: int, image: Path, density: float = 1) -> None:
    """Renders one strip alone into a TIFF, in a copy of the scene; the user's scene is only read.

    Raises RuntimeError when Blender cannot write the file. TIFF without compression, because Blender takes six times
    as long for a PNG even at compression 0.
    """
    copy = scene.copy()
    try:
        _freeze(copy, frame)
        show_only(copy, name)
        neutral_output(copy, image, density)
        copy.frame_set(frame)
        with bpy.context.temp_override(scene=copy):  # render(scene=...) would go back to the context scene's frame
            bpy.ops.render.render(write_still=True)
    finally:
        bpy.data.scenes.remove(copy)


def _freeze(scene: Any, frame: int) -> None:
    """Gives the copied strips their animated values at that frame, then drops the animation, which the copy shares.

    frame_set() does not do this: a fresh copy is first evaluated by the render, and that shows the strip as it stood at
    the user's playhead. Without animation, opacity and meta strips can also be set to what the capture needs.
    """
    if scene.animation_data is None:
        return
    for curve in compat.fcurves(scene.animation_data):
        if not curve.data_path.startswith("sequence_editor."):
            continue
        owner_path, name = curve.data_path.rsplit(".", 1)
        try:
            owner = scene.path_resolve(owner_path)
            value = getattr(owner, name)
        except (ValueError, AttributeError):
            continue  # left over from a deleted strip: Blender skips it too
        if isinstance(value, (bool, int, float)):
            setattr(owner, name, type(value)(curve.evaluate(frame)))
        elif not isinstance(value, str):
            value[curve.array_index] = curve.evaluate(frame)
    scene.animation_data_clear()


def look_at(scene: Any, strip: Any, frame: int, image: Path, width: int = 160) -> np.ndarray:
    """(N, 3) float32 0..1: the opaque pixels of a strip as the viewer sees it at a frame, reduced to about that width.

    image: a file for the time being. Raises BadSelection where nothing is seen, OutputFailed as capture_to().
    """
    capture_to(scene, strip, frame, image, min(1.0, width / scene.render.resolution_x))
    picture = bpy.data.images.load(str(image))
    try:
        pixels = np.empty(picture.size[0] * picture.size[1] * 4, np.float32)
        picture.pixels.foreach_get(pixels)
    finally:
        bpy.data.images.remove(picture)
        image.unlink()
    pixels = pixels.reshape(-1, 4)
    seen = pixels[pixels[:, 3] > 0.5, :3]
    if not len(seen):
        raise BadSelection(f"'{strip.name}' shows nothing at frame {frame}.", "Move or scale it into the frame.")
    return seen


def show_only(scene: Any, name: str) -> None:
    """Mutes all but one strip and its meta strips, and makes these metas change nothing. Returns the metas' names."""
    strips = compat.strips_all(scene)
    target = strips[name]
    metas, parent = [], target.parent_meta()
    while parent is not None:
        metas.append(parent)
        parent = parent.parent_meta()
    kept = {name, *(meta.name for meta in metas)}
    for strip in strips:
        if target.type != "META" or not _is_inside(strip, target):
            strip.mute = strip.name not in kept
    for strip in (target, *metas):
        strip.blend_type, strip.blend_alpha = "ALPHA_OVER", 1.0
    for meta in metas:
        _make_plain(meta)


def _is_inside(strip: Any, meta: Any) -> bool:
    parent = strip.parent_meta()
    return parent is not None and (parent == meta or _is_inside(parent, meta))


def _make_plain(meta: Any) -> None:
    """Takes away what a meta strip does to the picture of its children."""
    transform, crop = meta.transform, meta.crop
    transform.offset_x = transform.offset_y = transform.rotation = 0.0
    transform.scale_x = transform.scale_y = 1.0
    crop.min_x = crop.max_x = crop.min_y = crop.max_y = 0
    meta.use_flip_x = meta.use_flip_y = False
    meta.color_saturation = meta.color_multiply = 1.0
    meta.strobe = 1.0
    for modifier in meta.modifiers:
        modifier.mute = True


def neutral_output(scene: Any, image: Path, density: float) -> None:
    """Pixels in the strip's own colours: no view transform, burnt-in text, border or dithering."""
    render, view, settings = scene.render, scene.view_settings, scene.render.image_settings
    render.resolution_percentage = round(100 * density)
    render.use_sequencer, render.use_compositing = True, False
    render.use_stamp = render.use_border = render.use_multiview = False
    render.dither_intensity = 0.0
    render.use_file_extension, render.filepath = False, str(image)
    compat.set_output_image(settings, "TIFF")
    settings.color_mode, settings.color_depth, settings.tiff_codec = "RGBA", "8", "NONE"
    settings.color_management = "FOLLOW_SCENE"
    scene.display_settings.display_device = "sRGB"
    view.view_transform, view.look = "Standard", "None"
    view.exposure, view.gamma, view.use_curve_mapping = 0.0, 1.0, False
