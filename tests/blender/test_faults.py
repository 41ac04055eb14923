"""Bad selections and broken engines: one plain sentence each, and a timeline that is as before."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from tests.blender.stills import add_still, photo, pump_until

PEERS = Path(__file__).resolve().parents[1] / "peers"


@pytest.fixture
def still(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> Any:
    return add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"))


def press(addon: SimpleNamespace) -> str:
    """Presses the button; the sentence that it reports ("" = none). An error report is an exception for a script."""
    try:
        assert bpy.ops.diorama.camera_move() == {"FINISHED"}
    except RuntimeError as error:
        assert addon.results.last_error() in str(error)
    return addon.results.last_error()


def effect(addon: SimpleNamespace, scene: Any, kind: str) -> Any:
    strips = addon.compat.strips(scene.sequence_editor)
    try:
        return strips.new_effect(name="x", type=kind, channel=4, frame_start=1, length=12)
    except TypeError:
        return strips.new_effect(name="x", type=kind, channel=4, frame_start=1, frame_end=13)


def refused(addon: SimpleNamespace, scene: Any, says: str) -> None:
    """The button starts nothing, changes nothing, and says this and a remedy."""

    def strips() -> list[Any]:
        return [
            (s.name, s.channel, s.select, s.mute, s.lock, s.diorama.source_id) for s in addon.compat.strips_all(scene)
        ]

    before = strips()
    sentence = press(addon)
    assert says in sentence and len(sentence) > len(says) + 10
    assert strips() == before and not addon.runtime.queue.jobs


def test_empty_timeline(addon: SimpleNamespace, scene: Any) -> None:
    refused(addon, scene, "No strip is selected")


def test_nothing_selected(addon: SimpleNamespace, scene: Any, still: Any) -> None:
    still.select = False
    refused(addon, scene, "No strip is selected")


@pytest.mark.parametrize(
    ("kind", "says"), [("COLOR", "a colour strip"), ("TEXT", "a text strip"), ("ADJUSTMENT", "an effect strip")]
)
def test_effects(addon: SimpleNamespace, scene: Any, kind: str, says: str) -> None:
    effect(addon, scene, kind).select = True
    refused(addon, scene, f"'x' is {says}, not a still.")


def test_meta_and_scene_strips(addon: SimpleNamespace, scene: Any) -> None:
    strips = addon.compat.strips(scene.sequence_editor)
    meta = strips.new_meta("meta", 1, 1)
    meta.select = True
    refused(addon, scene, "'meta' is a meta strip")
    meta.select = False
    strips.new_scene("rig", bpy.data.scenes.new("Rig"), 2, 1).select = True
    refused(addon, scene, "'rig' is a scene strip")


def test_sequence_of_pictures(addon: SimpleNamespace, scene: Any, still: Any) -> None:
    still.elements.append("photo.png")
    refused(addon, scene, "'still' is a sequence of 2 pictures, not a still.")


def test_locked_and_muted(addon: SimpleNamespace, scene: Any, still: Any) -> None:
    channel = scene.sequence_editor.channels[1]
    for owner, name, says in (
        (still, "lock", "'still' is locked"),
        (channel, "lock", "The channel of 'still' is locked"),
        (still, "mute", "'still' is muted"),
        (channel, "mute", "The channel of 'still' is muted"),
    ):
        setattr(owner, name, True)
        refused(addon, scene, says)
        setattr(owner, name, False)


def test_missing_file_and_folder(addon: SimpleNamespace, scene: Any, still: Any, tmp_path: Path) -> None:
    (tmp_path / "photo.png").unlink()
    refused(addon, scene, "The picture of 'still' is missing")
    still.directory = str(tmp_path / "gone")
    refused(addon, scene, "The folder of 'still' is missing")


def test_no_free_channel(addon: SimpleNamespace, scene: Any, still: Any) -> None:
    still.channel = 128
    refused(addon, scene, "There is no free channel above 'still'.")


def test_outside_the_frame_of_its_meta(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    meta = addon.compat.strips(scene.sequence_editor).new_meta("meta", 1, 1)
    child = add_still(addon, meta, photo(tmp_path / "photo.png"), start=50)
    with pytest.raises(addon.errors.BadSelection, match="outside the visible part"):
        addon.source.describe(scene, child, tmp_path / "s.tif")


def test_engine_is_not_installed(addon: SimpleNamespace, scene: Any, still: Any, tmp_path: Path) -> None:
    addon.preferences.preferences().engine_folder = str(tmp_path / "no engine")
    refused(addon, scene, "The engine is not installed yet.")


def test_installing_offline_makes_no_traffic(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    addon.preferences.preferences().engine_folder = str(tmp_path / "engine")
    bpy.context.preferences.system.use_online_access = False
    with pytest.raises(RuntimeError, match="not allowed to go online"):
        bpy.ops.diorama.engine_install()
    assert not addon.runtime.installer.busy and not (tmp_path / "engine").exists()


def test_data_folder_cannot_be_written(
    addon: SimpleNamespace, scene: Any, still: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("no folder")
    monkeypatch.setattr(addon.results, "default_data_folder", lambda: tmp_path / "a file")
    refused(addon, scene, "The still of 'still' could not be written")


def test_mixed_selection_runs_the_stills_and_names_the_rest(
    addon: SimpleNamespace, scene: Any, still: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    effect(addon, scene, "COLOR").select = True
    use_peer(addon, monkeypatch, "hang_before_hello")
    assert "'x' is a colour strip" in press(addon)
    assert [job.label for job in addon.runtime.queue.jobs] == ["still"]
    addon.runtime.queue.close()


def use_peer(addon: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Puts a queue in place whose engine is a script of tests/peers."""

    class PeerCommand(addon.command.EngineCommand):
        def arguments(self) -> list[str]:
            return [sys.executable, str(PEERS / f"{script}.py")]

    command = PeerCommand(sys.executable, str(PEERS.parents[1]))
    monkeypatch.setattr(addon.runtime, "queue", addon.queue.JobQueue(lambda: command))


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("crash_at_once", "The engine stopped unexpectedly"),
        ("crash_mid_job", "Thread creation failed"),
        ("garbage", "no message"),
        ("old_version", "the add-on needs"),
    ],
)
def test_bad_engines_leave_a_sentence_and_the_timeline(
    addon: SimpleNamespace, scene: Any, still: Any, monkeypatch: pytest.MonkeyPatch, script: str, says: str
) -> None:
    use_peer(addon, monkeypatch, script)
    assert press(addon) == ""
    (job,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: job.ended, 20)
    addon.runtime.queue.close()
    assert job.state.name == "failed" and says in job.error.message and job.error.remedy
    assert [s.name for s in addon.compat.strips_all(scene)] == ["still"]
    assert Path(job.request.image).is_file()  # kept for another try
    bpy.ops.diorama.dismiss(job_id=job.id)
    assert not addon.runtime.queue.jobs and not Path(job.request.image).exists()


def test_try_again(addon: SimpleNamespace, scene: Any, still: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    use_peer(addon, monkeypatch, "crash_at_once")
    press(addon)
    (job,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: job.ended, 20)
    assert bpy.ops.diorama.retry(job_id=job.id) == {"FINISHED"}
    (again,) = addon.runtime.queue.jobs
    assert again.id != job.id and again.request == job.request and Path(again.request.image).is_file()
    pump_until(addon, lambda: again.ended, 20)
    addon.runtime.queue.close()
    addon.results.forget(again.id)
