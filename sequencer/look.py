"""What a person did to a strip, carried over to another: transform, crop, colours, modifiers, effects, keyframes."""

from __future__ import annotations

from typing import Any

import bpy

from . import compat

PLAIN = (
    "use_linear_modifiers",
    "blend_type",
    "blend_alpha",
    "effect_fader",
    "use_default_fade",
    "color_tag",
    "mute",
    "use_flip_x",
    "use_flip_y",
    "use_float",
    "color_multiply",
    "multiply_alpha",
    "color_saturation",
    "strobe",
    "use_deinterlace",
)
PLACE = ("offset_x", "offset_y", "scale_x", "scale_y", "rotation", "origin", "filter")
CROP = ("min_x", "max_x", "min_y", "max_y")
NOT_COPIED = ("rna_type", "name", "is_active")  # of a modifier
INPUTS = ("input_1", "input_2")


def copy_look(old: Any, new: Any, scale: tuple[float, float] = (1.0, 1.0)) -> None:
    """Gives `new` the place, crop, colours and modifiers of `old`, but not its keyframes and effect strips.

    scale: pixels of the new picture per pixel of the old one, across and down; it covers the same place.
    """
    for name in PLAIN:
        if hasattr(old, name) and hasattr(new, name):
            setattr(new, name, getattr(old, name))
    for name in PLACE:
        setattr(new.transform, name, getattr(old.transform, name))
    for name in CROP:
        setattr(new.crop, name, getattr(old.crop, name))
    resize(new, scale)
    for modifier in old.modifiers:
        _copy_values(modifier, new.modifiers.new(modifier.name, modifier.type))


def resize(strip: Any, scale: tuple[float, float]) -> None:
    """The strip's picture has so many times as many pixels now: transform and crop follow."""
    across, down = scale
    strip.transform.scale_x /= across
    strip.transform.scale_y /= down
    crop = strip.crop
    crop.min_x, crop.max_x = round(crop.min_x * across), round(crop.max_x * across)
    crop.min_y, crop.max_y = round(crop.min_y * down), round(crop.max_y * down)


def take_over(scene: Any, old: Any, new: Any) -> None:
    """Hands the keyframes, the effect strips and the name of `old` to `new`, and removes `old`."""
    holder = old.parent_meta() or scene.sequence_editor
    for strip in compat.strips_all(scene):
        for name in INPUTS:
            if getattr(strip, name, None) == old:
                setattr(strip, name, new)
        for modifier in strip.modifiers:
            if modifier.input_mask_strip == old:
                modifier.input_mask_strip = new
    if scene.animation_data is not None:
        before, after = (f'["{bpy.utils.escape_identifier(strip.name)}"]' for strip in (old, new))
        for curve in compat.fcurves(scene.animation_data):
            if curve.data_path.startswith("sequence_editor."):
                curve.data_path = curve.data_path.replace(before, after, 1)
    name, channel, active = old.name, old.channel, scene.sequence_editor.active_strip == old
    new.select, new.lock = old.select, old.lock
    old.name = "replaced"  # 5.2 would remove its former effects along with it: a new name makes it look again
    compat.strips(holder).remove(old)
    new.name, new.channel = name, channel  # Blender corrects the paths of the keyframes
    if active:
        scene.sequence_editor.active_strip = new


def copy_group(old: Any, new: Any) -> None:
    """Copies a property group with all that is in it; `new` is still as it was made."""
    for prop in old.bl_rna.properties:
        name = prop.identifier
        if prop.type == "COLLECTION":
            for item in getattr(old, name):
                copy_group(item, getattr(new, name).add())
        elif not prop.is_readonly:
            setattr(new, name, getattr(old, name))


def _copy_values(old: Any, new: Any) -> None:
    """All that can be set on a modifier, and on what belongs to it."""
    for prop in old.bl_rna.properties:
        name = prop.identifier
        if name in NOT_COPIED:
            continue
        value = getattr(old, name)
        if prop.type == "COLLECTION" and name == "curves":
            for ours, theirs in zip(value, new.curves, strict=True):
                _copy_points(ours.points, theirs.points)
            new.update()
        elif prop.type == "POINTER" and prop.is_readonly and value is not None:
            _copy_values(value, getattr(new, name))
        elif not prop.is_readonly and prop.type != "COLLECTION":
            setattr(new, name, value)


def _copy_points(old: Any, new: Any) -> None:
    while len(new) > len(old):
        new.remove(new[-1])
    while len(new) < len(old):
        new.new(0.0, 0.0)
    for ours, theirs in zip(old, new, strict=True):
        theirs.location, theirs.handle_type = ours.location, ours.handle_type
