"""The live rig on the timeline: a Scene strip over its photo, and the switch between it and baked clips."""

from __future__ import annotations

from typing import Any

import bpy

from ..engine.errors import BadSelection
from . import compat
from .placement import free_channel, holder_of, place_over

TAG = "diorama_rig"  # on a rig's scene: its id; see rig/owned.py
SPARE_FRAMES = 10_000  # after a move's last: a Scene strip's content cannot grow later, and a person may lengthen it


def insert(scene: Any, source: Any, rig_scene: Any, rig_id: str, source_id: str, facts: dict[str, Any]) -> Any:
    """Puts the rig's scene, through its camera, exactly over the photo and as long. Returns the new strip.

    facts: the engine's result, for the place in the frame. Raises BadSelection without a free channel.
    """
    start, end = compat.left_handle(source), compat.right_handle(source)
    holder, editor = holder_of(scene, source), scene.sequence_editor
    channel = free_channel(holder, source.channel, start, end)
    if channel is None:
        raise BadSelection(f"There is no free channel above '{source.name}'.", "Make room above it and try again.")
    active, last = editor.active_strip, rig_scene.frame_end
    rig_scene.frame_end = last + SPARE_FRAMES
    strip = compat.strips(holder).new_scene(f"{source.name} Rig", rig_scene, channel, start)
    rig_scene.frame_end = last
    compat.set_right_handle(strip, end)
    strip.scene_input = "CAMERA"
    width, height = facts["size"]
    place_over(strip, scene, {**facts, "width": width, "height": height})
    strip.blend_type = "ALPHA_OVER"
    strip.select = False  # the person may be at work on other strips: leave the selection alone
    editor.active_strip = active
    strip.diorama.rig_id, strip.diorama.source_id = rig_id, source_id
    return strip


def live_strips(rig_id: str) -> list[tuple[Any, Any]]:
    """(scene, strip) of every Scene strip that shows the rig, in all scenes of this file; also of one that is gone."""
    return [
        (scene, strip)
        for scene in bpy.data.scenes
        if scene.library is None
        for strip in compat.strips_all(scene)
        if strip.type == "SCENE" and rig_id_of(strip) == rig_id
    ]


def clips_of(scene: Any, rig_id: str) -> list[Any]:
    """The clips that were baked from the rig."""
    return [s for s in compat.strips_all(scene) if s.diorama.is_clip and s.diorama.rig_id == rig_id]


def rig_id_of(strip: Any) -> str:
    """The rig that a strip shows or was baked from, or "". A Scene strip shows what its scene is, whatever it was."""
    if strip is None:
        return ""
    if strip.type == "SCENE" and strip.scene is not None:
        return strip.scene.get(TAG, "")
    return strip.diorama.rig_id


def over(live: Any, clips: list[Any]) -> list[Any]:
    """The clips of one live strip: where a rig is shown twice, each has those that lie over its own frames."""
    start, end = compat.left_handle(live), compat.right_handle(live)
    return [clip for clip in clips if _shares(clip, start, end)]


def _shares(strip: Any, start: int, end: int) -> bool:
    """Whether a strip lies within frames start..end-1, in part at least."""
    return compat.left_handle(strip) < end and compat.right_handle(strip) > start


def is_live(scene: Any, rig_id: str, strip: Any) -> bool:
    """Whether the timeline shows the rig itself and not a clip of it. strip: the one that is meant, as in switch()."""
    return any(not live.mute for live in meant(scene, rig_id, strip))


def switch(scene: Any, rig_id: str, strip: Any, live: bool) -> None:
    """Shows either the rig itself or its newest clip; the others are muted and stay.

    strip: which of the rig's strips is meant, a live one or a clip; another strip or None = all. Raises BadSelection
    when there is nothing to show.
    """
    strips, clips = meant(scene, rig_id, strip), clips_of(scene, rig_id)
    if live:
        live_in(scene, rig_id, strip)
    groups = [over(shown, clips) for shown in strips] or [clips]
    if not live and not any(groups):
        raise BadSelection("No clip was baked from this rig yet.", "Press Bake first.")
    for shown in strips:
        shown.mute = not live
    for group in groups:
        top = max((clip.channel for clip in group), default=0)  # clips go above what is there: the newest is on top
        for clip in group:
            clip.mute = live or clip.channel != top


def meant(scene: Any, rig_id: str, strip: Any) -> list[Any]:
    """The rig's live strips on this timeline: the one that `strip` is or lies over, else all."""
    strips = [found for owner, found in live_strips(rig_id) if owner == scene]
    if strip in strips:
        return [strip]
    below = [live for live in strips if over(live, [strip] if strip is not None else [])]
    return below or strips


def show_at(rig_scene: Any, rig_id: str, percentage: int) -> None:
    """Lets the live strips be drawn at a share of their size, and be shown as large as before."""
    share = rig_scene.render.resolution_percentage / percentage
    rig_scene.render.resolution_percentage = percentage
    for _, strip in live_strips(rig_id):
        strip.transform.scale_x *= share
        strip.transform.scale_y *= share


def live_in(scene: Any, rig_id: str, strip: Any) -> Any:
    """The live strip that is meant, as in switch(). Raises BadSelection where there is none."""
    strips = meant(scene, rig_id, strip)
    if not strips:
        raise BadSelection("The rig's own strip was deleted.", "Undo that, or add its scene with Add > Scene.")
    return strips[0]


def frames_wanted(strip: Any) -> int:
    """How many frames its scene must have to move up to the last frame that the strip shows."""
    return compat.content_trim_start(strip) + compat.right_handle(strip) - compat.content_start(strip)


def photo_of(scene: Any, live: Any) -> Any:
    """The photo's strip of which a live strip's rig was made, or None."""
    stills = (s for s in compat.strips_all(scene) if s.type == "IMAGE" and not s.diorama.is_clip)
    same = [s for s in stills if s.diorama.source_id and s.diorama.source_id == live.diorama.source_id]
    return next((s for s in same if over(live, [s])), None)


def end_with_photo(scene: Any, live: Any) -> None:
    """Moves a live strip's end to its photo's. Raises BadSelection without a photo below it, or without room."""
    photo = photo_of(scene, live)
    if photo is None:
        raise BadSelection(f"The photo of '{live.name}' is not below it any more.", "Drag the end of the strip itself.")
    start, end = compat.left_handle(live), compat.right_handle(photo)
    others = [strip for strip in compat.strips(holder_of(scene, live)) if strip != live]
    if any(strip.channel == live.channel for strip in others if _shares(strip, start, end)):
        raise BadSelection(f"There is no room behind '{live.name}' on its channel.", "Make room there and try again.")
    compat.set_right_handle(live, end)


def remove_live(rig_id: str) -> None:
    """Takes the rig's Scene strips off every timeline; clips stay, and are shown again."""
    for scene, strip in live_strips(rig_id):
        clips = over(strip, clips_of(scene, rig_id))
        if not strip.mute or all(clip.mute for clip in clips):
            for clip in clips:
                clip.mute = False
        compat.strips(holder_of(scene, strip)).remove(strip)
