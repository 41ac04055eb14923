"""The panel of Generate: what is missing, what is hidden, what a clip will take before the button is pressed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from tests.blender.generating import A14B, drawn, refused
from tests.blender.stills import pump_until


def test_what_is_missing_is_told_with_the_button_that_mends_it(
    addon: SimpleNamespace, scene: Any, modules: SimpleNamespace, peer: Any, still: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bpy.context.preferences.system.use_online_access = True
    panel = modules.panel.DIORAMA_PT_generate
    monkeypatch.setattr(addon.runtime.models, "downloaded", frozenset())
    said = drawn(panel, scene, addon)
    assert said.index("34 GB to download") < said.index("Apache-2.0") < said.index("diorama.model_download")
    refused(addon, "Wan 2.2 TI2V 5B is not downloaded")
    peer.model = "folder"
    refused(addon, "No model folder is chosen")
    peer.folder = "/no/such/folder"
    refused(addon, "no model folder at")
    monkeypatch.setattr(type(addon.runtime.installer), "full", property(lambda _: False))
    said = drawn(panel, scene, addon)
    assert "needs the full engine" in said and "diorama.engine_install" in said and "diorama.generate" in said
    refused(addon, "needs the full engine")
    bpy.context.preferences.system.use_online_access = False
    assert "diorama.engine_install" not in drawn(panel, scene, addon)


def test_controls_that_a_model_lacks_are_hidden(
    addon: SimpleNamespace, scene: Any, modules: SimpleNamespace, peer: Any, still: Any, tmp_path: Path
) -> None:
    main, more = modules.panel.DIORAMA_PT_generate, modules.panel.DIORAMA_PT_generate_more
    assert "last_from" not in drawn(main, scene, addon) and "use_motion" not in drawn(more, scene, addon)
    assert "negative_prompt" in drawn(more, scene, addon)
    peer.use_guidance, peer.guidance = True, 1.0
    assert "negative_prompt" not in drawn(more, scene, addon), "without guidance it would do nothing"
    peer.model = A14B
    assert "last_from" in drawn(main, scene, addon)
    peer.use_guidance, peer.speed = False, "balanced"
    assert "negative_prompt" not in drawn(more, scene, addon), "its LoRA of few steps works without guidance"
    svd = next((one for one in addon.models.video_catalog().values() if "prompt" not in one.controls), None)
    if svd is not None:
        peer.model = svd.id
        assert "prompt" not in drawn(main, scene, addon).split(" | ")
    peer.model, peer.folder = "folder", str(tmp_path)
    drawn(main, scene, addon)
    pump_until(addon, lambda: str(tmp_path) in addon.runtime.plans.controls, 20)
    assert "use_motion" in drawn(more, scene, addon), "what the engine found in the folder"


def test_memory_time_and_size_stand_before_the_button(
    addon: SimpleNamespace, scene: Any, modules: SimpleNamespace, peer: Any, still: Any
) -> None:
    panel = modules.panel.DIORAMA_PT_generate
    assert "Working out" in drawn(panel, scene, addon)
    assert not addon.runtime.plans._queue.jobs, "not asked at once: a slider may be moving"
    request = modules.again.plan_request(scene, still)
    assert (request.num_frames, request.width, request.height, request.generate.seed) == (12, 320, 180, 0)
    pump_until(addon, lambda: addon.runtime.plans.answer(request), 20)
    said = drawn(panel, scene, addon)
    for text in ("13 frames, 832 × 480, 50 steps", "14.2 of 22.0 GB on the card", "About 1 min 35 s on Card of the",
                 "A warning of the plan.", "Licence: Apache-2.0"):  # fmt: skip
        assert text in said
    assert said.index("14.2 of") < said.index("diorama.generate")
    assert "is long" not in said
    addon.compat.set_right_handle(still, 5 + 24 * 9)
    assert "9.0 s is long" in drawn(panel, scene, addon)
    addon.compat.set_right_handle(still, 5 + 24 * 6)
    assert "6.0 s is more than the 5.0 s" in drawn(panel, scene, addon)


def test_the_menu_offers_every_model_once(
    addon: SimpleNamespace, scene: Any, modules: SimpleNamespace, peer: Any
) -> None:
    wanted = {model.name for model in addon.models.video_catalog().values()}
    addon.runtime.models.downloaded = frozenset({"wan-2.2-ti2v-5b", "wan-2.1-i2v-480p"})
    menu = drawn(modules.panel.DIORAMA_MT_generate_model, scene, addon).split(" | ")
    more = drawn(modules.panel.DIORAMA_MT_generate_model_more, scene, addon).split(" | ")
    assert menu.index("Wan 2.2 TI2V 5B — to begin with") < menu.index("On This Machine")
    assert menu.index("On This Machine") < menu.index("Wan 2.1 I2V 14B, 480p") < menu.index("A Folder…")
    offered = [text for text in menu + more if any(text.startswith(name) for name in wanted)]
    assert len(offered) == len(wanted)
    assert bpy.ops.diorama.generate_model(model="wan-2.1-i2v-480p") == {"FINISHED"}
    assert peer.model == "wan-2.1-i2v-480p"


def test_the_preferences_list_models_of_both_kinds(
    addon: SimpleNamespace, scene: Any, peer: Any, tmp_path: Path
) -> None:
    bpy.context.preferences.system.use_online_access = True
    said = drawn(SimpleNamespace(draw=draw_models_of(addon)), scene, addon).replace(" | ", " ")
    for model in (*addon.models.catalog().values(), *addon.models.video_catalog().values()):
        assert model.name in said
        assert model.licence in said and model.forbids in said
    assert "Image-to-Video Models (2 of" in said and "diorama.model_remove" in said and "diorama.model_download" in said
    chosen = addon.preferences.preferences()
    chosen.own_models = str(tmp_path / "none.toml")
    assert "Your list of models none.toml cannot be read" in drawn(
        SimpleNamespace(draw=draw_models_of(addon)), scene, addon
    )
    chosen.own_models = ""
    bpy.context.preferences.system.use_online_access = False


def draw_models_of(addon: SimpleNamespace) -> Any:
    return lambda panel, context: addon.model_panels.draw_models(panel.layout, context)
