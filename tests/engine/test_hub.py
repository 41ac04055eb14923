"""How models come and go: resume, cancel, no space, what arrives damaged, closed repositories; a hub of our own."""

import os
import shutil
from collections import namedtuple
from dataclasses import dataclass

import pytest

from engine import hub
from engine.errors import BadRequest, EngineFailure, JobCancelled, OutputFailed, WeightsMissing
from engine.hub import Source

pytest.importorskip("huggingface_hub", reason="needs the full engine")
pytestmark = pytest.mark.full

REPOSITORY = "makers/model"


@dataclass(frozen=True)
class Model:
    id: str = "one"
    sources: tuple[Source, ...] = (Source(REPOSITORY),)
    name: str = "Model One"
    megabytes: int = 40
    licence: str = "MIT"
    ask: bool = False


MODEL = Model()


@pytest.fixture
def server(tmp_path, monkeypatch):
    from huggingface_hub import constants

    from tests.engine.hub import Hub

    files = tmp_path / "files"
    files.mkdir()
    (files / "config.json").write_text('{"model_type": "dpt"}')
    (files / "model.safetensors").write_bytes(os.urandom(40_000_000))
    (files / "lora.safetensors").write_bytes(os.urandom(1000))
    (files / "code.py").write_text("never fetched")
    one = Hub(REPOSITORY, files)
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, one.address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "ENDPOINT", one.address)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    yield one
    one.end()


def arrived(tmp_path, name="model.safetensors"):
    found = list((tmp_path / "cache").rglob(f"snapshots/*/{name}"))
    return found[0].read_bytes() if found else None


def stop_at(megabytes):
    def report(done, _total):
        if done >= megabytes * 1_000_000:
            raise JobCancelled

    return report


def test_a_broken_download_goes_on_in_the_middle_of_its_file(server, tmp_path):
    with pytest.raises(JobCancelled):
        hub.download(MODEL, stop_at(20))
    assert not hub.is_here(MODEL)
    assert arrived(tmp_path) is None
    steps = []
    hub.download(MODEL, lambda done, total: steps.append((done, total)))
    assert server.ranges
    assert server.ranges[-1] >= 10_000_000
    assert steps[0][0] >= server.ranges[-1], "it counts from there"
    assert steps[-1][0] == steps[-1][1] >= 40_000_000
    assert arrived(tmp_path) == (server.folder / "model.safetensors").read_bytes()
    assert arrived(tmp_path, "code.py") is None
    assert hub.is_here(MODEL)
    assert not list((tmp_path / "cache").rglob("*.incomplete"))


def test_what_is_here_is_not_fetched_again(server):
    hub.download(MODEL, lambda *_: None)
    server.asked.clear()
    hub.download(MODEL, lambda *_: pytest.fail("nothing is to come"))
    assert not [path for path in server.asked if path.endswith("model.safetensors")]


def test_where_no_links_can_be_made_nothing_lies_there_twice(server, tmp_path, monkeypatch):
    """As on Windows without the right to make links."""
    monkeypatch.setattr("huggingface_hub.file_download.are_symlinks_supported", lambda *_: False)
    hub.download(MODEL, lambda *_: None)
    assert hub.is_here(MODEL)
    assert arrived(tmp_path) == (server.folder / "model.safetensors").read_bytes()
    large = [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.stat().st_size > 1_000_000]
    assert [path.name for path in large] == ["model.safetensors"]
    hub.download(MODEL, lambda *_: pytest.fail("nothing is to come"))


def test_without_space_not_one_byte_is_fetched(server, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1e9, 0, 0.5e9))
    with pytest.raises(OutputFailed, match=r"needs 0.5 GB of free space, but .* has 0.5 GB"):
        hub.download(MODEL, lambda *_: None)
    assert not list((tmp_path / "cache").rglob("*.safetensors"))
    assert not [path for path in server.asked if "/resolve/" in path]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1e9, 0, 0.55e9))
    hub.download(MODEL, lambda *_: None)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_what_arrives_damaged_is_told_and_fetched_again(server, tmp_path, name):
    server.spoiled.add(name)
    with pytest.raises(EngineFailure, match=f"'{name}' of .* arrived damaged"):
        hub.download(MODEL, lambda *_: None)
    assert not hub.is_here(MODEL)
    server.spoiled.clear()
    hub.download(MODEL, lambda *_: None)
    assert arrived(tmp_path, name) == (server.folder / name).read_bytes()


def test_a_single_file_and_what_two_models_share(server, tmp_path):
    whole = Model(sources=(Source(REPOSITORY, files=("config.json", "model.safetensors")),))
    with_lora = Model("two", (*whole.sources, Source(REPOSITORY, files=("lora.safetensors",), needed=False)))
    hub.download(whole, lambda *_: None)
    assert arrived(tmp_path, "lora.safetensors") is None
    assert hub.is_here(whole)
    assert hub.is_here(with_lora), "it can be used, if not as fast"
    hub.download(with_lora, lambda *_: None)
    assert arrived(tmp_path, "lora.safetensors")
    assert hub.remove(with_lora, [whole, with_lora]) == 0, "the other one needs it"
    assert hub.is_here(whole)
    assert hub.remove(whole) > 40_000_000
    assert not hub.is_here(whole)


def test_a_licence_a_gate_and_a_repository_without_safe_weights(server):
    with pytest.raises(BadRequest, match="accepted first: MIT"):
        hub.download(Model(ask=True), lambda *_: None)
    server.gated = True
    with pytest.raises(WeightsMissing, match="accepted its terms") as told:
        hub.download(MODEL, lambda *_: None)
    assert "hf auth login" in told.value.remedy
    server.gated = False
    for file in server.folder.glob("*.safetensors"):
        file.rename(file.with_suffix(".bin"))
    with pytest.raises(WeightsMissing, match="no safetensors"):
        hub.download(MODEL, lambda *_: None)
