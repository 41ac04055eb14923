"""Fixtures that several test files of this tier use."""

from __future__ import annotations

from pathlib import Path

import pytest

from diorama.session import installer
from tests.unit.ground import Ground


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ground:
    one = Ground(tmp_path)
    monkeypatch.setenv("PIP_FIND_LINKS", str(one.wheels))
    monkeypatch.setenv("FAKE_UV_LOG", str(one.log))
    monkeypatch.setattr(installer, "NEEDED_BYTES", {installer.LIGHT: 1000, installer.FULL: 2000})
    monkeypatch.setattr(installer, "GPU_BYTES", 0)
    return one
