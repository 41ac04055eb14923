"""A render in another Blender shows itself as any other job, whatever that Blender does."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from diorama.session import background_render
from diorama.session.background_render import RenderRequest
from diorama.session.command import EngineCommand
from diorama.session.queue import Job, JobQueue, JobState

PEERS = Path(__file__).parent.parent / "peers"


@pytest.fixture
def queue() -> Iterator[JobQueue]:
    made = JobQueue(lambda: EngineCommand(sys.executable, str(PEERS)))
    yield made
    made.close()


def request(how: str, folder: Path) -> RenderRequest:
    command = (sys.executable, str(PEERS / "fake_render.py"), how)
    return RenderRequest(command, "none.blend", str(folder / "bake"), settings={"engine": "x"})


def pump(queue: JobQueue, done: Callable[[], bool], seconds: float = 20.0) -> list[Job]:
    deadline, ended = time.monotonic() + seconds, []
    while not done():
        assert time.monotonic() < deadline, "still waiting"
        started = time.monotonic()
        ended += queue.pump()
        assert time.monotonic() - started < 0.2, "pump() must not wait"
        time.sleep(0.01)
    return ended


def run(queue: JobQueue, how: str, folder: Path) -> Job:
    """The job once it ended; it must end exactly once."""
    job = queue.submit(request(how, folder), "bake")
    ended = pump(queue, lambda: job.ended)
    assert ended + queue.pump() == [job]
    return job


@pytest.mark.parametrize("how", ["obey", "garbage", "flood", "two_endings", "finish_then_crash"])
def test_pictures_get_their_place_when_all_are_done(queue: JobQueue, tmp_path: Path, how: str) -> None:
    job = run(queue, how, tmp_path)
    assert (job.state, job.error) == (JobState.finished, None)
    assert job.result
    assert [Path(file).name for file in job.result["files"]] == [f"frame_{n:04}.png" for n in (1, 2, 3)]
    assert all(Path(file).is_file() for file in job.result["files"])
    assert json.loads((tmp_path / "bake.json").read_text(encoding="utf-8")) == job.result
    assert (job.result["job_id"], job.result["settings"]) == (job.id, {"engine": "x"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bake", "bake.json"]
    assert not (tmp_path / "bake" / "task.json").exists()


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ("crash_at_once", "engine_died", "graphics card caught fire"),
        ("crash_half_way", "engine_died", "status 7"),
        ("refuse", "output_failed", "The scene has no camera."),
        ("lie", "engine_died", "did not write all pictures"),
    ],
)
def test_what_goes_wrong_is_one_sentence(queue: JobQueue, tmp_path: Path, how: str, kind: str, words: str) -> None:
    job = run(queue, how, tmp_path)
    assert (job.state, job.result) == (JobState.failed, None)
    assert job.error
    assert job.error.kind == kind
    assert words in job.error.message
    assert job.error.remedy.endswith(".")
    assert not (tmp_path / "bake").exists()


def test_a_second_attempt_keeps_the_pictures_of_the_first(queue: JobQueue, tmp_path: Path) -> None:
    run(queue, "crash_half_way", tmp_path)
    job = run(queue, "obey", tmp_path)
    assert job.result
    made = [Path(file).read_text(encoding="utf-8") for file in job.result["files"]]
    assert made == ["picture by crash_half_way"] * 2 + ["picture by obey"]


@pytest.mark.parametrize("how", ["slow", "deaf", "silent"])
def test_cancel_ends_it_at_once(queue: JobQueue, tmp_path: Path, how: str) -> None:
    job = queue.submit(request(how, tmp_path), "bake")
    pump(queue, lambda: job.state is JobState.running and (how == "silent" or job.done == 1))
    started = time.monotonic()
    queue.cancel(job.id)
    assert job.state is JobState.cancelling
    pump(queue, lambda: job.ended)
    assert time.monotonic() - started < 3
    assert (job.state, job.error) == (JobState.cancelled, None)
    assert not (tmp_path / "bake").exists()


def test_a_waiting_one_is_cancelled_and_the_next_one_runs(queue: JobQueue, tmp_path: Path) -> None:
    first, second = (queue.submit(request("slow", tmp_path / name)) for name in "ab")
    third = queue.submit(request("obey", tmp_path / "c"))
    pump(queue, lambda: first.done == 1)
    assert second.state is JobState.waiting
    queue.cancel(second.id)
    queue.cancel(first.id)
    pump(queue, lambda: third.ended)
    assert [job.state.name for job in (first, second, third)] == ["cancelled", "cancelled", "finished"]


def test_one_that_says_nothing_is_given_up(
    queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_render, "START_SECONDS", 0.3)
    job = run(queue, "silent", tmp_path)
    assert job.error
    assert job.error.kind == "engine_hung"


def test_one_that_is_done_but_stays_is_ended(
    queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_render, "END_SECONDS", 0.3)
    assert run(queue, "will_not_go", tmp_path).state is JobState.finished


def test_a_program_that_is_not_there(queue: JobQueue, tmp_path: Path) -> None:
    job = queue.submit(RenderRequest((str(tmp_path / "blender"),), "", str(tmp_path / "bake")))
    pump(queue, lambda: job.ended)
    assert job.error
    assert "could not be started" in job.error.message


def test_a_name_that_is_taken_meanwhile_is_not_overwritten(queue: JobQueue, tmp_path: Path) -> None:
    (tmp_path / "bake").mkdir()
    (tmp_path / "bake" / "mine.txt").write_text("mine")
    job = run(queue, "obey", tmp_path)
    assert job.error
    assert job.error.kind == "output_failed"
    assert [path.name for path in (tmp_path / "bake").iterdir()] == ["mine.txt"]


def test_stopping_the_engine_leaves_a_render_alone_and_closing_ends_it(tmp_path: Path) -> None:
    queue = JobQueue(lambda: EngineCommand(sys.executable, str(PEERS)))
    job = queue.submit(request("slow", tmp_path))
    pump(queue, lambda: job.done == 1)
    queue.stop_engine()
    assert job.state is JobState.running
    started = time.monotonic()
    queue.close()
    assert time.monotonic() - started < 3
