"""Where a clip goes: found again by id, above its source, exactly over it, and one undo step for the change."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import bpy

from ..engine.errors import BadSelection
from . import compat, media
from .look import INPUTS
from .media import blend_path

LAST_CHANNEL = 128


def holder_of(scene: Any, strip: Any) -> Any:
    """What holds the strip directly: its meta strip, or the scene's sequence editor."""
    return strip.parent_meta() or scene.sequence_editor


def free_channel(holder: Any, above: int, start: int, end: int) -> int | None:
    """The first channel above `above` that is unlocked, unmuted and empty for frames start..end-1, or None."""
    taken = {
        strip.channel
        for strip in compat.strips(holder)
        if compat.left_handle(strip) < end and compat.right_handle(strip) > start
    }
    for channel in range(above + 1, LAST_CHANNEL + 1):
        if channel not in taken and not holder.channels[channel].lock and not holder.channels[channel].mute:
            return channel
    return None


def is_made(strip: Any) -> bool:
    """Whether Diorama put this strip there: it carries its source's id, but is not the source."""
    state = strip.diorama
    return state.is_clip or state.is_depth or bool(state.rig_id) or (strip.type == "SOUND" and bool(state.job_id))


def mark_source(scene: Any, strip: Any) -> str:
    """Gives the strip an id of its own in its scene, and returns it: a duplicated strip brought its id along."""
    ids = [s.diorama.source_id for s in compat.strips_all(scene) if not is_made(s)]
    if not strip.diorama.source_id or ids.count(strip.diorama.source_id) > 1:
        strip.diorama.source_id = uuid.uuid4().hex
    return strip.diorama.source_id


def find_source(tag: dict[str, Any], same_file: bool) -> tuple[Any, Any] | None:
    """(scene, strip) of a job's source as it is now, or None if it is gone.

    The id comes first: the strip may have been renamed, and another file may be open. In the file of the click
    (same_file) undo may have taken the id away; then name and picture must both be the old ones.
    """
    scenes = sorted((s for s in bpy.data.scenes if s.library is None), key=lambda s: s.name != tag["scene"])
    for scene in scenes:
        stills = [s for s in compat.strips_all(scene) if s.type == "IMAGE" and not is_made(s)]
        same = [s for s in stills if s.diorama.source_id == tag["source_id"]]
        if same:
            return scene, next((s for s in same if s.name == tag["strip"]), same[0])
        if same_file and scene.name == tag["scene"]:
            for strip in stills:
                if strip.name == tag["strip"] and str(still_path(strip)) == tag["picture"]:
                    return scene, strip
    return None


def still_path(strip: Any) -> Path:
    """The picture file of an image strip."""
    return Path(bpy.path.abspath(strip.directory)) / strip.elements[0].filename


def insert_above(scene: Any, source: Any, job_id: str, tag: dict[str, Any], result: dict[str, Any]) -> Any:
    """Puts the clip above its source strip, starting with it. Returns the new strip.

    The clip keeps its length, also when the source was trimmed meanwhile. Raises BadSelection without a free channel.
    """
    start = compat.left_handle(source)
    channel = free_channel(holder_of(scene, source), source.channel, start, start + result["num_frames"])
    if channel is None:
        raise BadSelection(
            f"There is no free channel above '{source.name}'.", "Make room above it, then press Insert at Playhead."
        )
    clip = _insert(scene, holder_of(scene, source), channel, start, job_id, tag, result)
    _hand_fades(holder_of(scene, source), source, clip)
    bpy.ops.ed.undo_push(message=tag["move_label"])
    return clip


def insert_at(scene: Any, frame: int, job_id: str, tag: dict[str, Any], result: dict[str, Any]) -> Any:
    """Puts a clip whose source is gone on the first free channel at that frame. Raises BadSelection without one."""
    editor = scene.sequence_editor or scene.sequence_editor_create()
    holder = editor.meta_stack[-1] if editor.meta_stack else editor
    channel = free_channel(holder, 0, frame, frame + result["num_frames"])
    if channel is None:
        raise BadSelection("There is no free channel at the playhead.", "Move the playhead or make room there.")
    clip = _insert(scene, holder, channel, frame, job_id, tag, result)
    bpy.ops.ed.undo_push(message=tag["move_label"])
    return clip


def _hand_fades(holder: Any, source: Any, clip: Any) -> None:
    """Fades above the clip that the source was part of are the clip's now: it covers the source."""
    for strip in compat.strips(holder):
        if getattr(strip, "input_2", None) is not None and strip.channel > clip.channel:
            for name in INPUTS:
                if getattr(strip, name) == source:
                    setattr(strip, name, clip)


def _insert(
    scene: Any, holder: Any, channel: int, start: int, job_id: str, tag: dict[str, Any], result: dict[str, Any]
) -> Any:
    editor = scene.sequence_editor
    active = editor.active_strip
    clip = load_clip(compat.strips(holder), channel, start, tag, result)
    place_over(clip, scene, result)
    if result.get("colour_space"):
        clip.colorspace_settings.name = result["colour_space"]
    clip.blend_type = "ALPHA_OVER"  # around a letterboxed clip what lies below still shows
    clip.select = False  # the person may be at work on other strips: leave the selection alone
    editor.active_strip = active
    state = clip.diorama
    state.is_clip, state.job_id, state.source_id = True, job_id, tag["source_id"]
    state.clip_path, state.request = result["clip"], json.dumps(result["settings"])
    state.warnings = "\n".join(result["warnings"])
    media.remember(clip, f"{tag['move_label']} 1")
    return clip


def load_clip(strips: Any, channel: int, start: int, tag: dict[str, Any], result: dict[str, Any]) -> Any:
    """The clip as a strip: a movie, or an image strip with one element per file of a sequence."""
    files = pictures(result)
    name = f"{tag['strip']} {tag['move_label']}"
    if Path(result["clip"]).is_file():
        clip = strips.new_movie(name, blend_path(result["clip"]), channel, start, fit_method="ORIGINAL")
    else:
        clip = strips.new_image(name, blend_path(files[0]), channel, start, fit_method="ORIGINAL")
        for file in files[1:]:
            clip.elements.append(Path(file).name)
    compat.set_right_handle(clip, start + result["num_frames"])
    return clip


def pictures(result: dict[str, Any]) -> list[str]:
    """The files of a clip without its sound, which lies beside it."""
    return [file for file in result["files"] if file != result.get("sound")]


def place_over(clip: Any, scene: Any, result: dict[str, Any]) -> None:
    """Lays a strip exactly over the part of the frame that the still filled. result: as in place_in_frame()."""
    transform = clip.transform
    transform.offset_x, transform.offset_y, transform.scale_x, transform.scale_y = place_in_frame(scene, result)


def place_in_frame(scene: Any, result: dict[str, Any]) -> tuple[float, float, float, float]:
    """A strip's offset across and down, in pixels of the frame from its centre, y up, and its scale across and down.

    result: width and height of the strip's picture; rect, in pixels of the captured still, y down; still_size.
    """
    still_width, still_height = result["still_size"]
    frame_width, frame_height = scene.render.resolution_x, scene.render.resolution_y
    x, y, width, height = result["rect"]
    across, down = frame_width / still_width, frame_height / still_height
    return (
        (x + width / 2) * across - frame_width / 2,
        frame_height / 2 - (y + height / 2) * down,
        width * across / result["width"],
        height * down / result["height"],
    )
