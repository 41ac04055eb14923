"""Installed from the zip, registered and unregistered twice: nothing is left behind."""

from __future__ import annotations

import importlib
import sys
from types import SimpleNamespace

import addon_utils
import bpy

from tests.blender.drawn import Drawn


def traces(addon: SimpleNamespace) -> tuple[set[str], list[str], bool, bool, int]:
    handlers = [
        h.__name__
        for name in dir(bpy.app.handlers)
        if isinstance(group := getattr(bpy.app.handlers, name), list)
        for h in group
        if callable(h)
    ]
    return (
        {name for name in dir(bpy.types) if "diorama" in name.lower()},
        handlers,
        hasattr(bpy.types.Scene, "diorama") or hasattr(addon.compat.strip_type(), "diorama"),
        bpy.app.timers.is_registered(addon.registration.pump),
        len(getattr(bpy.types.SEQUENCER_MT_strip.draw, "_draw_funcs", ())),
    )


def test_register_and_unregister_twice(addon: SimpleNamespace) -> None:
    on = traces(addon)
    assert on[2] and on[3] and "file_opened" in on[1] and "DIORAMA_PT_camera_move" in on[0]
    addon.registration.unregister()
    off = traces(addon)
    assert not off[0] and "file_opened" not in off[1] and not off[2] and not off[3]
    addon.registration.register()
    assert traces(addon) == on
    addon.registration.unregister()
    assert traces(addon) == off
    addon.registration.register()
    assert traces(addon) == on


def test_disable_and_enable_as_a_person_does(addon: SimpleNamespace) -> None:
    before = traces(addon)[0]
    addon_utils.disable(addon.package, default_set=False)
    assert not traces(addon)[0]
    addon_utils.enable(addon.package, default_set=False)
    assert traces(addon)[0] == before


def test_registering_loads_nothing_heavy_and_makes_no_folder(addon: SimpleNamespace) -> None:
    assert not {"torch", "cv2", "onnxruntime", "numba", "av"} & set(sys.modules)
    assert (
        not addon.results.default_data_folder().exists()
        or not (addon.results.default_data_folder() / "engine").exists()
    )


def test_every_enum_item_has_a_fixed_number(addon: SimpleNamespace) -> None:
    settings = bpy.context.scene.diorama.bl_rna.properties
    for name, table in (("move", addon.moves.MOVES),):
        items = settings[name].enum_items
        assert {item.identifier for item in items} == set(table)
        assert len({item.value for item in items}) == len(items)
    assert settings["move"].enum_items["push_in"].value == 0 and settings["move"].enum_items["crop"].value == 11


def test_a_move_brings_its_own_good_amount(scene: bpy.types.Scene, addon: SimpleNamespace) -> None:
    scene.diorama.move = "orbit"
    assert abs(scene.diorama.amount - addon.moves.MOVES["orbit"].default) < 1e-6


def test_the_menus_offer_every_tool(addon: SimpleNamespace) -> None:
    menus = importlib.import_module(f"{addon.package}.panels.menus")
    layout = Drawn()
    menus.draw_entry(SimpleNamespace(layout=layout), None)
    assert layout.said == ["", menus.DIORAMA_MT_strip.__name__, ""]
    menus.DIORAMA_MT_strip.draw(SimpleNamespace(layout=layout), None)
    offered = [name for name in layout.said if name.startswith("diorama.")]
    known = [f"diorama.{name}" for name in dir(bpy.ops.diorama)]
    assert {"diorama.extend", "diorama.stitch", "diorama.sequence", "diorama.render_out"} < set(offered) <= set(known)
    icons = bpy.types.UILayout.bl_rna.functions["operator"].parameters["icon"].enum_items
    assert all(verb[1] in icons for verb in menus.VERBS if verb)
