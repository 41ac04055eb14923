"""What the tests of Generate share: an engine that obeys, the button, what a panel says."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from tests.blender.drawn import Drawn
from tests.blender.stills import add_still, photo, pump_until

PEERS = Path(__file__).resolve().parents[1] / "peers"
A14B = "wan-2.2-i2v-a14b"  # takes a last still
FIVE = "wan-2.2-ti2v-5b"


@pytest.fixture
def modules(addon: SimpleNamespace) -> SimpleNamespace:
    names = {
        "jobs": "operators.generate_jobs",
        "again": "operators.generate_again",
        "preview": "sequencer.live_preview",
        "panel": "panels.generate",
        "clip": "panels.clip",
        "plans": "session.plans",
    }
    return SimpleNamespace(**{key: importlib.import_module(f"{addon.package}.{name}") for key, name in names.items()})


@pytest.fixture
def peer(
    addon: SimpleNamespace, scene: Any, modules: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """A full engine that is tests/peers/generator.py, with both models downloaded; the scene's settings."""

    class PeerCommand(addon.command.EngineCommand):
        def arguments(self) -> list[str]:
            return [sys.executable, str(PEERS / "generator.py")]

    command = PeerCommand(sys.executable, str(PEERS.parents[1]))
    monkeypatch.setattr(addon.runtime, "queue", addon.queue.JobQueue(lambda: command))
    monkeypatch.setattr(addon.runtime, "plans", modules.plans.PlanDesk(lambda: command))
    monkeypatch.setattr(type(addon.runtime.installer), "full", property(lambda _: True))
    monkeypatch.setattr(addon.runtime.models, "downloaded", frozenset({A14B, FIVE}))
    monkeypatch.setattr(addon.runtime.models, "asked", False)
    monkeypatch.setattr(addon.runtime.models, "look", lambda: None)  # it would start the real engine
    addon.preferences.preferences().clip_format = "png"
    yield scene.diorama_generate
    for job in list(addon.runtime.queue.jobs):
        addon.runtime.queue.cancel(job.id)
    addon.runtime.queue.close()
    addon.runtime.plans.close()
    addon.results.remember_errors([])


@pytest.fixture
def still(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> Any:
    return add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"), start=5)


def clips(addon: SimpleNamespace, scene: Any) -> list[Any]:
    return [s for s in addon.compat.strips_all(scene) if s.diorama.is_clip]


def press(addon: SimpleNamespace, count: int = 1, seconds: float = 20) -> list[Any]:
    """Presses the button and waits; the requests."""
    before = set(job.id for job in addon.runtime.queue.jobs)
    assert bpy.ops.diorama.generate() == {"FINISHED"}
    jobs = [job for job in addon.runtime.queue.jobs if job.id not in before]
    assert len(jobs) == count
    pump_until(addon, lambda: not addon.runtime.queue.jobs or any(job.error for job in jobs), seconds)
    assert [job.error for job in jobs] == [None] * count
    return [job.request for job in jobs]


def refused(addon: SimpleNamespace, says: str) -> None:
    with pytest.raises(RuntimeError, match=says):
        bpy.ops.diorama.generate()
    assert not addon.runtime.queue.jobs


def select(addon: SimpleNamespace, scene: Any, *strips: Any) -> None:
    for strip in addon.compat.strips_all(scene):
        strip.select = strip in strips
    scene.sequence_editor.active_strip = strips[-1]


def drawn(panel: Any, scene: Any, addon: SimpleNamespace) -> str:
    """What a panel says."""
    layout = Drawn()
    context = SimpleNamespace(scene=scene, region=None, area=None, preferences=bpy.context.preferences)
    panel.draw(SimpleNamespace(layout=layout), context)
    addon.registration.pump()
    return " | ".join(layout.said)
