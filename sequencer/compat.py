"""ALL differences between Blender 4.2, 4.5 and 5.2. Words of 5.2 everywhere else; each branch says what ends it."""

from __future__ import annotations

from typing import Any

import bpy


def strip_type() -> type:
    """The RNA base type of all strips."""
    # Called Sequence until 4.3: goes with 4.2 LTS.
    return bpy.types.Strip if hasattr(bpy.types, "Strip") else bpy.types.Sequence


def strips(holder: Any) -> Any:
    """The strips directly inside a sequence editor or a meta strip."""
    # Called sequences until 4.3: goes with 4.2 LTS. An empty collection is falsy, so ask for the name.
    return holder.strips if hasattr(holder, "strips") else holder.sequences


def strips_all(scene: Any) -> Any:
    """Every strip of a scene, those inside meta strips too; () for a scene without a sequence editor."""
    editor = scene.sequence_editor
    if editor is None:
        return ()
    # Called sequences_all until 4.3: goes with 4.2 LTS.
    return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all


def blend_relative() -> set[str]:
    """Options of a path property that may begin with "//"."""
    # 4.5 warns about such paths where this is not set, 4.2 does not know it: goes with 4.2 LTS.
    known = "is_path_supports_blend_relative" in bpy.types.Property.bl_rna.properties
    return {"PATH_SUPPORTS_BLEND_RELATIVE"} if known else set()


def strips_all_name(editor: Any) -> str:
    """The name of the collection of all strips, for a search field."""
    # As above: goes with 4.2 LTS.
    return "strips_all" if hasattr(editor, "strips_all") else "sequences_all"


def draw_text(layout: Any, owner: Any, name: str, placeholder: str) -> None:
    """A field for a text of several lines, of one line where Blender has no such field."""
    # New in 5.2: goes with 4.5 LTS.
    if hasattr(layout, "textbox"):
        layout.textbox(owner, name, initial_visible_lines=3, placeholder=placeholder)
    else:
        layout.prop(owner, name, text="", placeholder=placeholder)


def sequencer_scene(context: Any) -> Any:
    """The scene that the Sequencer shows."""
    # Before 5.0 the Sequencer shows the window's scene: the getattr goes with 4.5 LTS. None in background mode.
    return getattr(context, "sequencer_scene", None) or context.scene


def left_handle(strip: Any) -> int:
    """The first shown frame."""
    # Called frame_final_start until 5.0: goes with 4.5 LTS.
    return int(strip.left_handle if hasattr(strip, "left_handle") else strip.frame_final_start)


def right_handle(strip: Any) -> int:
    """The first frame that is not shown any more."""
    # Called frame_final_end until 5.0: goes with 4.5 LTS.
    return int(strip.right_handle if hasattr(strip, "right_handle") else strip.frame_final_end)


def content_start(strip: Any) -> int:
    """The frame at which the content begins, before any trimming."""
    # Called frame_start until 5.0: goes with 4.5 LTS.
    return int(strip.content_start if hasattr(strip, "content_start") else strip.frame_start)


def content_duration(strip: Any) -> int:
    """How many frames the content has, before any trimming."""
    # Called frame_duration until 5.0: goes with 4.5 LTS.
    return int(strip.content_duration if hasattr(strip, "content_duration") else strip.frame_duration)


def content_trim_start(strip: Any) -> int:
    """How many frames at its source's start a strip leaves out for good."""
    # Called animation_offset_start until 5.2: goes with 4.5 LTS.
    name = "content_trim_start" if hasattr(strip, "content_trim_start") else "animation_offset_start"
    return int(getattr(strip, name))


def content_trim_end(strip: Any) -> int:
    """How many frames at its source's end a strip leaves out for good."""
    # As above: goes with 4.5 LTS.
    name = "content_trim_end" if hasattr(strip, "content_trim_end") else "animation_offset_end"
    return int(getattr(strip, name))


def right_handle_offset(strip: Any) -> int:
    """How many frames before the end of its content the strip ends; negative when it goes on beyond."""
    # Called frame_offset_end until 5.0: goes with 4.5 LTS.
    return int(strip.right_handle_offset if hasattr(strip, "right_handle_offset") else strip.frame_offset_end)


def set_right_handle(strip: Any, frame: int) -> None:
    """Moves the strip's end; its start stays."""
    # As above: goes with 4.5 LTS.
    if hasattr(strip, "right_handle"):
        strip.right_handle = frame
    else:
        strip.frame_final_end = frame


def set_left_handle(strip: Any, frame: int) -> None:
    """Moves the first shown frame; the content and the strip's end stay."""
    # As above: goes with 4.5 LTS.
    if hasattr(strip, "left_handle"):
        strip.left_handle = frame
    else:
        strip.frame_final_start = frame


def set_content_start(strip: Any, frame: int) -> None:
    """Moves the whole strip, so that its content begins at that frame."""
    # As above: goes with 4.5 LTS.
    if hasattr(strip, "content_start"):
        strip.content_start = frame
    else:
        strip.frame_start = frame


def set_span(strip: Any, start: int, end: int) -> None:
    """Trims the strip to frames start..end-1; its content stays where it is."""
    if end > left_handle(strip):  # never both handles at one place on the way
        set_right_handle(strip, end)
        set_left_handle(strip, start)
    else:
        set_left_handle(strip, start)
        set_right_handle(strip, end)


def new_effect(
    strips: Any, name: str, kind: str, channel: int, start: int, end: int, first: Any = None, second: Any = None
) -> Any:
    """An effect strip over frames start..end-1, of up to two input strips."""
    words: dict[str, Any] = {}
    # length in place of frame_end from 5.0 on: goes with 4.5 LTS.
    known = strips.bl_rna.functions["new_effect"].parameters
    words |= {"length": end - start} if "length" in known else {"frame_end": end}
    # Called seq1 and seq2 until 4.3: goes with 4.2 LTS.
    names = ("input1", "input2") if "input1" in known else ("seq1", "seq2")
    words |= {key: strip for key, strip in zip(names, (first, second), strict=True) if strip is not None}
    return strips.new_effect(name, kind, channel, start, **words)


def set_output_image(settings: Any, file_format: str) -> None:
    """Makes a scene's image settings write pictures of that format."""
    # 5.0 asks for the kind of output first: goes with 4.5 LTS.
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.file_format = file_format


def fcurves(animation_data: Any) -> Any:
    """The collection of F-curves that animates a data-block, or () without any."""
    action = animation_data.action
    # Actions without slots until 4.3: goes with 4.2 LTS. 4.5 has both, and slots work there too.
    if not hasattr(action, "layers"):
        return action.fcurves
    for layer in action.layers:
        for part in layer.strips:
            bag = part.channelbag(animation_data.action_slot) if animation_data.action_slot else None
            if bag is not None:
                return bag.fcurves
    return ()
