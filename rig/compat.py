"""Differences between Blender's versions that have nothing to do with the Sequencer; each branch says what ends it."""

from __future__ import annotations

from typing import Any

import bpy


def use_nodes(material: Any) -> None:
    """Gives a material its node tree."""
    # Always there from 5.0 on, and setting it warns: goes with 4.5 LTS.
    if material.node_tree is None:
        material.use_nodes = True


def set_alpha(material: Any) -> None:
    """Lets EEVEE show a layer's soft edge, with the depth of what is drawn still right within the layer."""
    material.surface_render_method = "DITHERED"
    material.use_transparent_shadow = False
    material.use_backface_culling = False


def eevee() -> str:
    """The identifier of EEVEE as a render engine."""
    # Called BLENDER_EEVEE_NEXT until 4.5: goes with 4.5 LTS.
    engines = bpy.types.RenderSettings.bl_rna.properties["engine"].enum_items.keys()
    return "BLENDER_EEVEE_NEXT" if "BLENDER_EEVEE_NEXT" in engines else "BLENDER_EEVEE"


def set_cycles(scene: Any, samples: int, filter_width: float) -> None:
    """One clean sample a pixel; Cycles is an add-on and may be switched off."""
    if not hasattr(scene, "cycles"):
        return
    cycles = scene.cycles
    cycles.samples = cycles.preview_samples = samples
    cycles.use_adaptive_sampling = cycles.use_denoising = False
    cycles.pixel_filter_type, cycles.filter_width = "BLACKMAN_HARRIS", filter_width
    cycles.max_bounces = 0
    cycles.transparent_max_bounces = 32
