"""The desk that asks what a clip would take, and the engine that ends when it has nothing to do."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from diorama.engine.errors import BadModel, DioramaError, EngineMissing
from diorama.engine.protocol import CameraMoveRequest, GenerateSettings, PlanRequest
from diorama.session import plans, runtime
from diorama.session.command import EngineCommand
from diorama.session.models import video_catalog
from diorama.session.plans import PlanDesk
from diorama.session.queue import EngineState, JobQueue

ROOT = Path(__file__).resolve().parents[2]
REQUEST = PlanRequest(GenerateSettings(model="wan-2.2-ti2v-5b"), 24, 320, 180)


@dataclass(frozen=True)
class PeerCommand(EngineCommand):
    script: str = "generator"

    def arguments(self) -> list[str]:
        return [self.python, str(ROOT / "tests" / "peers" / f"{self.script}.py")]


def peer(script: str = "generator") -> EngineCommand:
    return PeerCommand(sys.executable, str(ROOT), script=script)


def wait(pump: Callable[[], object], condition: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        pump()
        time.sleep(0.02)


@pytest.fixture
def desk() -> Iterator[PlanDesk]:
    one = PlanDesk(peer)
    yield one
    one.close()


def test_a_wish_is_asked_once_it_stays_the_same(desk: PlanDesk) -> None:
    wishes = [replace(REQUEST, num_frames=frames) for frames in range(10, 20)]
    for wish in wishes:
        assert desk.answer(wish) is None
        desk.pump()
    assert not desk._queue.jobs, "a slider that moves asks nothing"
    wait(desk.pump, lambda: desk.answer(wishes[-1]))
    answer = desk.answer(wishes[-1])
    assert isinstance(answer, dict)
    assert answer["num_frames"] == 20
    assert list(desk._answers) == [wishes[-1]]
    assert "motion" in desk.controls["wan-2.2-ti2v-5b"]
    desk.pump()
    assert not desk.busy
    desk.stop()
    assert desk.answer(wishes[-1]) == answer, "what is known stays known"
    desk.reset()
    assert desk.answer(wishes[-1]) is None


def test_why_there_is_no_plan_is_an_answer_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def command() -> EngineCommand:
        raise EngineMissing("The engine is not installed yet.", "Install it.")

    monkeypatch.setattr(plans, "SETTLE_SECONDS", 0.0)
    desk = PlanDesk(command)
    wait(desk.pump, lambda: desk.answer(REQUEST))
    answer = desk.answer(REQUEST)
    assert isinstance(answer, DioramaError)
    assert "not installed" in answer.message


def test_an_engine_without_work_ends_and_the_next_job_starts_another() -> None:
    jobs = JobQueue(lambda: peer("obey"), warm_seconds=0.5)
    try:
        for _ in range(2):
            job = jobs.submit(CameraMoveRequest("photo.jpg", "clip.mp4", 1))
            wait(jobs.pump, lambda job=job: job.ended)
            assert jobs.engine_state is EngineState.ready
            wait(jobs.pump, lambda: jobs.engine_state is EngineState.stopped)
            assert "nothing to do" in jobs.engine_note
        jobs.warm_seconds = 60
        job = jobs.submit(CameraMoveRequest("photo.jpg", "clip.mp4", 8))
        jobs.warm_seconds = 0.1
        wait(jobs.pump, lambda: job.ended)
        assert job.error is None, "a job that runs is work"
    finally:
        jobs.close()


def test_preferences_reach_every_engine(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[mine]\nname = "Mine"\nfamily = "wan"\nfolder = "/models/mine"\nlicence = "own"'
                   '\ncontrols = ["prompt"]\nframes = { multiple = 4, extra = 1, default = 81 }\nfps = 16'
                   '\nnum_inference_steps = 8\nguidance_scale = 1.0\n')  # fmt: skip
    runtime.open_session(ROOT, tmp_path / "engine", lambda: False)
    try:
        runtime.installer.require_python = lambda: sys.executable  # type: ignore[method-assign]
        runtime.configure(60.0, "/models", "cpu", str(own))
        variables = runtime.queue._command().variables()
        assert variables["HF_HUB_CACHE"] == "/models"
        assert variables["DIORAMA_DEVICE"] == "cpu"
        assert variables["DIORAMA_VIDEO_MODELS"] == str(own)
        assert variables["HF_HUB_OFFLINE"] == "1"
        assert runtime.queue.warm_seconds == 60.0
        assert list(runtime.video_models())[-1] == "mine"
        assert runtime.video_models()["mine"].folder == "/models/mine"
        own.write_text("[mine]\nname = 'no more'")
        video_catalog.cache_clear()
        with pytest.raises(BadModel, match=r"own\.toml cannot be read"):
            runtime.video_models()
        assert "wan-2.2-ti2v-5b" in runtime.shipped_video_models()
        runtime.configure(60.0, "", "1", "")
        assert "HF_HUB_CACHE" not in runtime.queue._command().environment
        assert runtime.queue._command().environment["CUDA_VISIBLE_DEVICES"] == "1"
    finally:
        runtime.close_session()


def test_a_new_preference_ends_the_engine_after_its_work(tmp_path: Path) -> None:
    runtime.open_session(ROOT, tmp_path / "engine", lambda: False)
    runtime.queue = JobQueue(lambda: peer("obey"))
    try:
        job = runtime.queue.submit(CameraMoveRequest("photo.jpg", "clip.mp4", 5))
        wait(runtime.pump, lambda: job.done)
        runtime.configure(60.0, "/other", "", "")
        wait(runtime.pump, lambda: job.ended)
        assert job.error is None
        wait(runtime.pump, lambda: runtime.queue.engine_state is EngineState.stopped)
        runtime.configure(60.0, "", "", "")
    finally:
        runtime.close_session()


def test_both_sides_read_the_same_list_of_video_models() -> None:
    from engine.video.catalog import catalog as of_the_engine

    found = video_catalog()
    assert list(found) == list(of_the_engine())
    for key, entry in of_the_engine().items():
        assert (found[key].name, found[key].controls, found[key].needs) == (entry.name, entry.controls, entry.needs)
        assert (found[key].ask, found[key].forbids, found[key].licence) == (entry.ask, entry.forbids, entry.licence)
    assert found["wan-2.2-ti2v-5b"].facts.startswith("34 GB to download. Licence: Apache-2.0")
    assert found["wan-2.2-i2v-a14b"].few_guidance == 1.0
    assert found["wan-2.2-ti2v-5b"].stable_seconds == pytest.approx(5.04, abs=0.01)
