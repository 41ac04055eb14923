"""The shelf of depth models: the catalog as data, one job at a time in a process of its own, no traffic offline."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from diorama.engine.errors import EngineFailure, EngineMissing
from diorama.session import engine_folder, installer, runtime
from diorama.session.command import EngineCommand, venv_python
from diorama.session.models import ModelShelf, catalog

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class PeerCommand(EngineCommand):
    def arguments(self) -> list[str]:
        return [self.python, str(ROOT / "tests" / "peers" / "model_shelf.py")]


class Ground:
    def __init__(self) -> None:
        self.offline = False
        self.started: list[bool] = []
        self.shelf = ModelShelf(self.command, lambda: self.offline)

    def command(self, online: bool) -> EngineCommand:
        self.started.append(online)
        return PeerCommand(sys.executable, str(ROOT), runtime.QUIET if online else runtime.OFFLINE)

    def wait(self, condition: Callable[[], object], seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline
            self.shelf.pump()
            time.sleep(0.02)

    def ended(self) -> None:
        self.wait(lambda: not self.shelf.busy and self.shelf.job is None)
        self.shelf.pump()


@pytest.fixture
def ground() -> Iterator[Ground]:
    one = Ground()
    yield one
    one.shelf.close()


def test_the_catalog_is_read_without_an_engine() -> None:
    small = catalog()["depth-anything-v2-small"]
    assert next(iter(catalog())) == small.id
    assert small.facts.startswith("99 MB to download. Licence: Apache-2.0. ")
    assert catalog()["dpt-large"].size == "1.4 GB"
    assert catalog()["depth-pro"].ask
    assert "from memory" in catalog()["glpn"].facts
    assert not small.ask


def test_both_sides_read_the_same_catalog() -> None:
    from engine.depth.catalog import catalog as of_the_engine

    assert [(one.id, one.name, one.ask) for one in of_the_engine().values()] == [
        (one.id, one.name, one.ask) for one in catalog().values()
    ]


def test_looking_downloading_and_removing(ground: Ground) -> None:
    shelf = ground.shelf
    assert shelf.downloaded is None
    shelf.look()
    with pytest.raises(EngineFailure, match="Another model"):
        shelf.remove("dpt-large")
    ground.ended()
    assert shelf.downloaded == {"dpt-large"}
    assert shelf.devices == ("1", "CPU"), "looking may not use the network"
    shelf.download("depth-anything-v2-small", False)
    ground.wait(lambda: shelf.job is None or shelf.job.total)
    ground.ended()
    assert shelf.downloaded == {"dpt-large", "depth-anything-v2-small"}
    assert shelf.devices == ("-", "CPU")
    shelf.remove("dpt-large")
    ground.ended()
    assert shelf.downloaded == frozenset()
    assert ground.started == [False, True, False], "each ends its process"
    shelf.reset()
    assert shelf.downloaded is None


def test_offline_starts_nothing_and_says_why(ground: Ground) -> None:
    ground.offline = True
    with pytest.raises(EngineFailure, match="not allowed to go online") as told:
        ground.shelf.download("glpn", False)
    assert "Draft depth" in told.value.remedy
    assert ground.started == []
    assert not ground.shelf.busy


def test_a_failure_is_kept_until_the_next_try(ground: Ground) -> None:
    ground.shelf.download("zoedepth", False)
    ground.ended()
    assert ground.shelf.error is not None
    assert ground.shelf.error.message == "The hub is out of reach."
    ground.shelf.look()
    assert ground.shelf.error is None


def test_a_download_can_be_cancelled(ground: Ground) -> None:
    ground.shelf.download("glpn", False)
    ground.wait(lambda: ground.shelf.job and ground.shelf.job.total)
    ground.shelf.cancel()
    ground.ended()
    assert ground.shelf.error is None
    assert ground.shelf.downloaded is None


def test_no_engine_is_a_sentence() -> None:
    def command(_online: bool) -> EngineCommand:
        raise EngineMissing("The engine is not installed yet.", "Install it.")

    shelf = ModelShelf(command, lambda: False)
    shelf.look()
    deadline = time.monotonic() + 5
    while shelf.busy and time.monotonic() < deadline:
        shelf.pump()
    shelf.pump()
    assert shelf.error is not None
    assert "not installed" in shelf.error.message


def test_the_process_that_makes_clips_may_never_use_the_network(tmp_path: Path) -> None:
    engine, requirements = tmp_path / "engine", ROOT / "engine" / "requirements"
    engine_folder.mark_incomplete(engine, installer.FULL)
    venv_python(engine).parent.mkdir(parents=True)
    venv_python(engine).touch()
    runtime.open_session(ROOT, engine, lambda: False)
    try:
        assert not runtime.models_unknown(), "without the full engine nobody looks"
        engine_folder.mark_installed(engine, requirements, installer.FULL)
        runtime.installer.refresh()
        assert runtime.models_unknown()
        assert runtime.queue._command().variables()["HF_HUB_OFFLINE"] == "1"
    finally:
        runtime.close_session()
