"""Light and full: what is installed, how one grows into the other, and what stays when that fails."""

from __future__ import annotations

import os
import re
import sys

import pytest

from diorama.engine.errors import InstallFailed
from diorama.session import engine_folder, installer
from diorama.session.command import venv_python
from diorama.session.installer import InstallState
from tests.unit.ground import ROOT, Ground, wait

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the fake uv is a script with a first line for Unix")


def test_a_light_engine_grows_into_a_full_one(ground: Ground) -> None:
    ground.install()
    panel = ground.installer()
    assert (panel.state, panel.size, panel.full) == (InstallState.installed, installer.LIGHT, False)
    before = len(ground.commands)
    panel.start(installer.FULL)
    assert panel.size == installer.FULL
    wait(panel.pump)
    assert panel.error is None
    assert (panel.state, panel.size, panel.full) == (InstallState.installed, installer.FULL, True)
    packages, torch, more = ground.commands[before:]
    assert "weights-full.txt" in more, "what the light engine has is not fetched again"
    assert (ground.engine / "share" / "diorama" / "more.bin").is_file()
    assert "--require-hashes" in packages
    assert packages.endswith("full.txt")
    assert "--require-hashes" not in torch
    assert torch.endswith("torch.txt")
    before = len(ground.commands)
    ground.install()
    assert ground.size == installer.FULL, "a full engine is a light one too"
    assert len(ground.commands) == before


def test_uv_chooses_torch_unless_a_build_is_at_hand(ground: Ground) -> None:
    ground.install(size=installer.FULL)
    assert "--torch-backend=auto" in ground.commands[2]
    engine_folder.remove_folder(ground.engine)
    minor = sys.version_info.minor
    (ground.wheels / f"torch-2.13.0+cpu-cp3{minor}-cp3{minor}-manylinux_2_28_x86_64.whl").touch()
    ground.log.unlink()
    ground.install(size=installer.FULL)
    assert ground.commands[2].endswith("torch.txt")
    assert "--torch-backend" not in ground.log.read_text()
    assert f"--find-links {ground.wheels}" in ground.commands[2]


def test_growth_that_fails_or_is_cancelled_leaves_the_light_engine(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.install()
    monkeypatch.setenv("FAKE_UV", "offline")
    with pytest.raises(InstallFailed, match="dns error"):
        ground.install(size=installer.FULL)
    assert (ground.state, ground.size) == (InstallState.installed, installer.LIGHT)
    monkeypatch.setenv("FAKE_UV", "slow")
    panel = ground.installer()
    panel.start(installer.FULL)
    wait(lambda: panel.progress.total)
    panel.cancel()
    wait(panel.pump, 5)
    assert (panel.state, panel.size) == (InstallState.installed, installer.LIGHT)
    assert panel.require_python() == str(venv_python(ground.engine))


def test_update_and_repair_keep_the_size(ground: Ground) -> None:
    ground.install(size=installer.FULL)
    (ground.requirements / "torch.txt").write_text("torch==2.14.0\n")
    panel = ground.installer()
    assert (panel.state, panel.size, panel.full) == (InstallState.outdated, installer.FULL, False)
    panel.start()
    wait(panel.pump)
    assert (ground.state, ground.size) == (InstallState.installed, installer.FULL)
    panel.repair()
    wait(panel.pump)
    assert (panel.state, panel.size) == (InstallState.installed, installer.FULL)
    (ground.requirements / "light.txt").write_text("numpy==9 --hash=sha256:00\n")
    assert ground.state is InstallState.installed, "a full engine knows nothing of the light list"


def test_a_full_engine_that_was_begun_is_continued_as_such(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_UV", "offline")
    with pytest.raises(InstallFailed):
        ground.install(size=installer.FULL)
    monkeypatch.delenv("FAKE_UV")
    panel = ground.installer()
    assert (panel.state, panel.size) == (InstallState.incomplete, installer.FULL)
    panel.start()
    wait(panel.pump)
    assert panel.full


def test_every_light_pin_is_a_full_pin() -> None:
    """So that growing adds packages and changes none."""

    def pins(name: str) -> set[str]:
        text = (ROOT / "engine" / "requirements" / name).read_text()
        return set(re.findall(r"^([\w.-]+==[^ ;]+)", text, re.MULTILINE))

    assert len(pins("light.txt")) > 8
    assert pins("light.txt") <= pins("full.txt")
