"""The rig's camera takes the engine's own path: every move, easing and cycle; added, fitted and changed by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender.rigs import add_photo, build, modules, settle

TOLERANCE = 1e-4
CASES = [("once", "ease_in_out"), ("once", "linear"), ("once", "ease_in"), ("ping_pong", "ease_out"),
         ("loop", "linear")]
STRAIGHT = ("push_in", "pull_out", "truck_left", "truck_right", "pedestal_up", "pedestal_down", "orbit")
MOST_KEYS = dict.fromkeys(STRAIGHT, 3) | {"handheld": 36, "circle": 25}  # of 48 frames, there and back


@pytest.fixture
def rig(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> Any:
    add_photo(addon, scene, tmp_path, length=48)
    (made,) = build(addon)
    scene.sequence_editor.active_strip = modules(addon).strips.live_strips(made.id)[0][1]
    return made


def numbers(view: Any) -> np.ndarray:
    """world2cam and intrinsics of a view as shares of its width, (20,)."""
    k = view.intrinsics
    return np.concatenate([view.world2cam.ravel(), np.array([k.fx, k.fy, k.cx, k.cy]) / view.width])


def evaluated(addon: SimpleNamespace, rig: Any) -> np.ndarray:
    frames = range(rig.scene.frame_start, rig.scene.frame_end + 1)
    return np.array([numbers(v) for v in modules(addon).sample.evaluated_views(rig.scene, None, frames, *rig.size)])


def keys(addon: SimpleNamespace, rig: Any) -> dict[str, int]:
    """Number of keys of every animated channel."""
    tools = modules(addon)
    owners = tools.moves.owners_of(rig)
    found = ((c, tools.curves.find(owners[c.owner], c.path, c.index)) for c in tools.moves.CHANNELS)
    return {f"{c.path}[{c.index}]": len(curve.keyframe_points) for c, curve in found if curve}


@pytest.mark.parametrize(("cycle", "easing"), CASES)
def test_every_move_is_the_engines(addon: SimpleNamespace, rig: Any, cycle: str, easing: str) -> None:
    tools = modules(addon)
    for name, entry in tools.camera.MOVES.items():
        move = tools.stack.apply(rig, tools.protocol.MoveSettings(name, entry.default, easing, cycle), add=False)
        basis = tools.moves.Basis.of(rig)
        path = tools.camera.camera_path(tools.moves.shot_of(basis, move), basis.bounds)
        wanted = np.array([numbers(view) for view in path])
        assert np.abs(evaluated(addon, rig) - wanted).max() <= TOLERANCE, name
        counts = keys(addon, rig)
        assert counts, name
        if cycle != "loop":
            assert max(counts.values()) <= MOST_KEYS.get(name, 17), (name, counts)


def test_the_keys_can_be_dragged(addon: SimpleNamespace, rig: Any) -> None:
    tools = modules(addon)
    curve = tools.curves.find(rig.camera, "location", 1)
    first, last = curve.keyframe_points
    assert (first.co[0], last.co[0]) == (1, 48) and first.handle_left_type == "ALIGNED"
    assert rig.camera.animation_data.action["diorama_rig"] == rig.id
    wanted = last.co[1] / 2
    last.co[1] = wanted
    curve.update()
    views = tools.sample.evaluated_views(rig.scene, None, [48], *rig.size)
    assert np.linalg.inv(views[0].world2cam)[2, 3] == pytest.approx(wanted, abs=1e-6)


def test_handheld_is_added_to_a_push(addon: SimpleNamespace, scene: Any, rig: Any) -> None:
    tools = modules(addon)
    push = evaluated(addon, rig)
    before = keys(addon, rig)
    scene.diorama.move, scene.diorama.amount, scene.diorama.easing = "handheld", 0.03, "linear"
    assert bpy.ops.diorama.rig_move(add=True) == {"FINISHED"}
    both = evaluated(addon, rig)
    assert keys(addon, rig).items() >= before.items() and "delta_location[0]" in keys(addon, rig)
    assert bpy.ops.diorama.rig_move(add=False) == {"FINISHED"}
    sway = evaluated(addon, rig)
    assert np.abs(sway - sway[0]).max() > 1e-3
    assert np.abs((push - push[0]) + (sway - sway[0]) - (both - both[0])).max() < 2 * TOLERANCE
    # Another move on a channel that has keys already: both are summed.
    for _ in range(2):
        tools.stack.apply(rig, tools.protocol.MoveSettings("push_in", 0.05, "linear"), add=True)
    assert len(tools.curves.find(rig.camera, "location", 1).keyframe_points) == 2


def test_every_move_has_its_own_strength(addon: SimpleNamespace, rig: Any) -> None:
    tools, settings = modules(addon), modules(addon).protocol.MoveSettings
    push, sway = settings("push_in", 0.1), settings("handheld", 0.02, "linear")
    tools.stack.apply(rig, push, add=False)
    pushed = evaluated(addon, rig)
    tools.stack.apply(rig, sway, add=True)
    both = evaluated(addon, rig)
    entries = rig.scene.diorama_camera.moves
    assert [entry.move for entry in entries] == ["push_in", "handheld"]
    entries[1].amount = 0.01
    assert np.abs((both - pushed) - 2 * (evaluated(addon, rig) - pushed)).max() < 2 * TOLERANCE
    entries[1].enabled = False
    assert np.abs(evaluated(addon, rig) - pushed).max() < TOLERANCE
    assert keys(addon, rig) == {"location[1]": 2}
    entries[1].enabled = True
    entries[0].easing = "linear"
    entries[0].cycle = "ping_pong"
    half = evaluated(addon, rig)
    assert len(tools.curves.find(rig.camera, "location", 1).keyframe_points) == 3
    assert bpy.ops.diorama.rig_move_drop(index=0) == {"FINISHED"}
    assert "location[1]" not in keys(addon, rig)
    there_and_back = (half - evaluated(addon, rig))[:, 11]  # the camera's way into the photo
    assert there_and_back[0] == pytest.approx(there_and_back[-1], abs=TOLERANCE)
    assert abs(there_and_back[24]) > 0.05


def test_what_a_person_dragged_stays_when_a_slider_moves(addon: SimpleNamespace, rig: Any) -> None:
    tools = modules(addon)
    tools.stack.apply(rig, tools.protocol.MoveSettings("push_in", 0.1, "linear"), add=False)
    curve = tools.curves.find(rig.camera, "location", 1)
    pushed = curve.keyframe_points[1].co[1]
    curve.keyframe_points[1].co[1] += 0.07
    rig.camera.location.x = 0.05  # no key: a person moved the camera as a whole
    rig.scene.diorama_camera.moves[0].amount = 0.05
    curve = tools.curves.find(rig.camera, "location", 1)
    assert curve.evaluate(48) == pytest.approx(pushed / 2 + 0.07, abs=TOLERANCE)
    assert rig.camera.location.x == pytest.approx(0.05) and "location[0]" not in keys(addon, rig)
    tools.stack.apply(rig, tools.protocol.MoveSettings("truck_right", 0.02, "linear"), add=True)
    assert tools.curves.find(rig.camera, "location", 0).evaluate(1) == pytest.approx(0.05, abs=TOLERANCE)
    tools.stack.apply(rig, tools.protocol.MoveSettings("push_in", 0.1), add=False)  # Apply starts anew
    assert keys(addon, rig) == {"location[1]": 2} and rig.camera.location.x == 0


def test_a_slider_asks_for_no_more_poses_than_it_changes(
    addon: SimpleNamespace, rig: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is worked out while a person drags it: poses are the dear part, and the other moves keep theirs."""
    tools, asked = modules(addon), []
    views_at = tools.moves.views_at

    def counted(frames: np.ndarray, shot: Any, bounds: Any) -> Any:
        asked.extend([shot.move] * len(frames))
        return views_at(frames, shot, bounds)

    monkeypatch.setattr(tools.moves, "views_at", counted)
    for name in ("truck_right", "handheld", "push_in"):
        tools.stack.apply(rig, tools.protocol.MoveSettings(name, 0.02), add=True)
    assert asked.count("handheld") > 100
    asked.clear()
    rig.scene.diorama_camera.moves[-1].amount = 0.03
    assert set(asked) == {"push_in"} and len(asked) < 4 * 48


def test_fit_is_measured(addon: SimpleNamespace, scene: Any, rig: Any) -> None:
    tools = modules(addon)
    assert bpy.ops.diorama.rig_fit() == {"FINISHED"}  # the engine has limited the move: nothing to do
    curve = tools.curves.find(rig.camera, "location", 1)
    kept = curve.keyframe_points[1].co[1]
    tools.stack.apply(rig, tools.protocol.MoveSettings("truck_right", 0.05), add=False)
    curve = tools.curves.find(rig.camera, "location", 0)
    for point in curve.keyframe_points:
        point.co[1] *= 12
        point.handle_left[1] *= 12
        point.handle_right[1] *= 12
    too_far, frame = tools.coverage.worst(rig)
    assert too_far > 5 and frame == 48 and kept != 0
    assert bpy.ops.diorama.rig_fit() == {"FINISHED"}
    fitted, _ = tools.coverage.worst(rig)
    assert -3 < fitted <= -tools.coverage.SAFETY_PX
    assert len(curve.keyframe_points) == 2
    entry, after = rig.scene.diorama_camera.moves[0], evaluated(addon, rig)
    assert 0 < entry.share < 1
    entry.enabled, entry.enabled = False, True
    assert np.abs(evaluated(addon, rig) - after).max() < 2 * TOLERANCE  # what Fit left is what the keys hold


def test_fit_says_what_it_cannot_mend(addon: SimpleNamespace, scene: Any, rig: Any) -> None:
    rig.camera.parent.location.x = 3
    with pytest.raises(RuntimeError, match="Even without its keyframes"):
        bpy.ops.diorama.rig_fit()
    rig.camera.parent.location.x = 0
    bpy.data.objects.remove(rig.layers[0])
    with pytest.raises(RuntimeError, match="rearmost layer"):
        bpy.ops.diorama.rig_fit()


def test_the_measure_agrees_with_the_engine(addon: SimpleNamespace, rig: Any) -> None:
    """The photo's border is where the engine takes it to be: the margin past the frame, at rest."""
    tools = modules(addon)
    rig.camera.animation_data_clear()
    rig.camera.location = (0, 0, 0)
    beyond, _ = tools.coverage.worst(rig)
    margin = rig.facts["margin_px"] * rig.size[0] / rig.facts["width"]
    assert beyond == pytest.approx(-margin, abs=2)


def test_another_depth_keeps_the_camera(addon: SimpleNamespace, scene: Any, rig: Any) -> None:
    tools = modules(addon)
    curve = tools.curves.find(rig.camera, "location", 1)
    curve.keyframe_points[1].co[1] = 0.123
    curve.update()
    before, folder = evaluated(addon, rig), rig.folder
    meshes = {item.data.name: len(item.data.vertices) for item in rig.layers}
    title = bpy.data.objects.new("Title", None)
    rig.scene.collection.objects.link(title)
    scene.diorama.near_is_bright = False
    assert bpy.ops.diorama.rig_depth() == {"FINISHED"}
    settle(addon)
    again = tools.owned.find(rig.id)
    assert np.abs(evaluated(addon, again) - before).max() < 1e-6
    assert again.folder != folder and again.scene == rig.scene and title.name in again.scene.objects
    assert {item.data.name: len(item.data.vertices) for item in again.layers} != meshes
    assert [item.name for item in again.layers] == [f"Layer {n}" for n in range(len(again.layers))]
    assert len([image for image in bpy.data.images if "diorama_rig" in image]) == len(again.layers)


def test_any_sensor_and_fit_is_read(addon: SimpleNamespace, rig: Any) -> None:
    tools = modules(addon)
    camera = rig.camera.data
    rig.camera.animation_data_clear()
    before = evaluated(addon, rig)[0]
    camera.sensor_fit, camera.sensor_height = "VERTICAL", 24
    share = rig.size[1] / rig.size[0]
    camera.lens *= 24 / 36 / share
    camera.shift_x /= share
    camera.shift_y /= share
    assert np.abs(evaluated(addon, rig)[0] - before).max() < 1e-6
    for width, height in ((320, 180), (180, 320)):
        intrinsics = tools.camera.Intrinsics(310.0, 250.0, 140.0, 99.0)
        back = tools.axes.intrinsics_of(tools.axes.lens_of(intrinsics, width, height), width, height)
        assert (back.fx, back.fy, back.cx, back.cy) == pytest.approx((310.0, 250.0, 140.0, 99.0))
