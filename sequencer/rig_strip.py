"""The live rig on the timeline: a Scene strip over its photo, and the switch between it and baked clips."""

from __future__ import annotations

from typing import Any

import bpy

from ..engine.errors import BadSelection
from . import compat
from .placement import free_channel, holder_of, place_over


def insert(scene: Any, source: Any, rig_scene: Any, rig_id: str, source_id: str, facts: dict[str, Any]) -> Any:
    """Puts the rig's scene, through its camera, exactly over the photo and as long. Returns the new strip.

    facts: the engine's result, for the place in the frame. Raises BadSelection without a free channel.
    """
    start, end = compat.left_handle(source), compat.right_handle(source)
    holder, editor = holder_of(scene, source), scene.sequence_editor
    channel = free_channel(holder, source.channel, start, end)
    if channel is None:
        raise BadSelection(f"There is no free channel above '{source.name}'.", "Make room above it and try again.")
    active = editor.active_strip
    strip = compat.strips(holder).new_scene(f"{source.name} Rig", rig_scene, channel, start)
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
    """(scene, strip) of every Scene strip that shows the rig, in all scenes of this file."""
    return [
        (scene, strip)
        for scene in bpy.data.scenes
        if scene.library is None
        for strip in compat.strips_all(scene)
        if strip.type == "SCENE" and strip.diorama.rig_id == rig_id
    ]


def clips_of(scene: Any, rig_id: str) -> list[Any]:
    """The clips that were baked from the rig."""
    return [s for s in compat.strips_all(scene) if s.diorama.is_clip and s.diorama.rig_id == rig_id]


def rig_id_of(strip: Any) -> str:
    """The rig that a strip shows or was baked from, or ""."""
    return strip.diorama.rig_id if strip is not None else ""


def is_live(scene: Any, rig_id: str) -> bool:
    """Whether the timeline shows the rig itself and not a clip of it."""
    return any(owner == scene and not strip.mute for owner, strip in live_strips(rig_id))


def switch(scene: Any, rig_id: str, live: bool) -> None:
    """Shows either the rig itself or its newest clip; the others are muted and stay. Raises BadSelection when there is
    nothing to show."""
    strips = [strip for owner, strip in live_strips(rig_id) if owner == scene]
    clips = clips_of(scene, rig_id)
    if live and not strips:
        raise BadSelection("The rig's own strip was deleted.", "Undo that, or add its scene with Add > Scene.")
    if not live and not clips:
        raise BadSelection("No clip was baked from this rig yet.", "Press Bake first.")
    for strip in strips:
        strip.mute = not live
    shown = max((clip.channel for clip in clips), default=0)  # clips go above what is there: the newest is on top
    for clip in clips:
        clip.mute = live or clip.channel != shown


def remove_live(rig_id: str) -> None:
    """Takes the rig's Scene strips off every timeline; clips stay, and are shown again."""
    for scene, strip in live_strips(rig_id):
        clips = clips_of(scene, rig_id)
        if not strip.mute or all(clip.mute for clip in clips):
            for clip in clips:
                clip.mute = False
        compat.strips(holder_of(scene, strip)).remove(strip)
