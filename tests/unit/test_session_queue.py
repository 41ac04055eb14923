"""The queue and the client against badly behaved engines: real processes, real time limits."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from diorama.engine.errors import EngineMissing
from diorama.engine.protocol import CameraMoveRequest
from diorama.session import client, queue
from diorama.session.command import EngineCommand
from diorama.session.queue import EngineState, Job, JobQueue, JobState

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "tests" / "peers"
NOTICED = 4.0  # seconds; the promise is 2, a loaded machine gets some air


@dataclass(frozen=True)
class PeerCommand(EngineCommand):
    """Starts a script of tests/peers instead of the engine."""

    script: str = ""

    def arguments(self) -> list[str]:
        return [self.python, str(PEERS / self.script)]


def peer(script: str, **environment: str) -> Callable[[], EngineCommand]:
    return lambda: PeerCommand(sys.executable, str(ROOT), environment, f"{script}.py")


@pytest.fixture
def make_queue() -> Iterator[Callable[..., JobQueue]]:
    made: list[JobQueue] = []

    def make(script: str, **environment: str) -> JobQueue:
        made.append(JobQueue(peer(script, **environment)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def request(frames: int = 2, output: str = "clip.mp4") -> CameraMoveRequest:
    return CameraMoveRequest("photo.jpg", output, frames)


def pump_until(jobs: JobQueue, condition: Callable[[], object], limit: float = 15.0) -> float:
    """Pumps like the timer does; the seconds until the condition held."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < limit, f"not within {limit} s; {jobs.engine_note}"
        jobs.pump()
        time.sleep(0.02)
    return time.monotonic() - start


def run(jobs: JobQueue, frames: int = 2) -> tuple[Job, float]:
    """One job to its end, and the seconds since it was sent to the engine or, failing that, submitted."""
    job = jobs.submit(request(frames), "Photo")
    pump_until(jobs, lambda: job.ended or job.state is JobState.running)
    return job, pump_until(jobs, lambda: job.ended)


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and ") Z" not in stat.read_text()


def test_jobs_run_in_order_and_are_told_once(make_queue: Callable[..., JobQueue]) -> None:
    jobs = make_queue("obey")
    assert (jobs.busy, jobs.engine_state) == (False, EngineState.stopped)
    first, second = jobs.submit(request(3), "One", {"strip": "a"}), jobs.submit(request(1), "Two")
    assert jobs.busy
    assert jobs.engine_state is EngineState.starting
    ended: list[Job] = []
    seen: set[tuple[str, int, int]] = set()
    deadline = time.monotonic() + 15
    while jobs.busy and time.monotonic() < deadline:
        ended += jobs.pump()
        seen.add((first.stage, first.done, first.total))
        assert second.state is JobState.waiting or first.state is JobState.finished
        time.sleep(0.02)
    assert ended == [first, second]
    assert first.result == {"clip": first.id}
    assert first.tag == {"strip": "a"}
    assert ("render", 2, 3) in seen
    assert jobs.engine_state is EngineState.ready
    assert jobs.pump() == []
    jobs.forget(first.id)
    assert jobs.jobs == [second]


def test_pump_takes_no_time(make_queue: Callable[..., JobQueue]) -> None:
    """Not a benchmark: a pump that waited for anything would take far longer than this."""
    jobs = make_queue("obey")
    job = jobs.submit(request(5))
    longest = 0.0
    while not job.ended:
        start = time.perf_counter()
        jobs.pump()
        longest = max(longest, time.perf_counter() - start)
        time.sleep(0.01)
    assert longest < 0.1


def test_an_engine_that_ends_at_once_fails_every_waiting_job_and_is_not_restarted(
    make_queue: Callable[..., JobQueue],
) -> None:
    jobs = make_queue("crash_at_once")
    other = jobs.submit(request())
    job, seconds = run(jobs)
    assert seconds < NOTICED
    assert (job.state, other.state) == (JobState.failed, JobState.failed)
    assert job.error is not None
    assert job.error.kind == "engine_died"
    assert "No module named 'numba'" in job.error.message
    assert job.error.remedy
    assert "numba" in job.details
    for _ in range(20):
        jobs.pump()
        time.sleep(0.01)
    assert jobs.engine_state is EngineState.stopped
    assert "numba" in jobs.engine_note


def test_a_crash_mid_job_is_noticed_and_named(make_queue: Callable[..., JobQueue]) -> None:
    job, seconds = run(make_queue("crash_mid_job"))
    assert seconds < NOTICED
    assert job.state is JobState.failed
    assert job.error is not None
    assert job.error.kind == "engine_died"
    assert "libgomp: Thread creation failed" in job.error.message
    assert job.done == 3


def test_waiting_jobs_outlive_the_engine(make_queue: Callable[..., JobQueue], tmp_path: Path) -> None:
    jobs = make_queue("crash_once", FIRST_LIFE=str(tmp_path / "lived"))
    first, second = jobs.submit(request()), jobs.submit(request())
    pump_until(jobs, lambda: not jobs.busy)
    assert (first.state, second.state) == (JobState.failed, JobState.finished)


def test_a_clip_that_was_finished_before_the_crash_counts(make_queue: Callable[..., JobQueue], tmp_path: Path) -> None:
    jobs = make_queue("finish_then_crash")
    job = jobs.submit(request(8, str(tmp_path / "clip.mp4")))
    pump_until(jobs, lambda: job.ended)
    assert job.state is JobState.finished
    assert job.result is not None
    assert job.result["num_frames"] == 8
    assert job.error is None


@pytest.mark.parametrize("script", ["garbage", "binary_garbage", "flood", "endless_line"])
def test_a_broken_stream_is_noticed_and_named(make_queue: Callable[..., JobQueue], script: str) -> None:
    jobs = make_queue(script)
    job, seconds = run(jobs)
    assert seconds < NOTICED
    assert job.state is JobState.failed
    assert job.error is not None
    assert job.error.kind == "engine_died"
    assert "sent something that is no message" in job.error.message
    assert job.error.message.isprintable()
    if script == "garbage":
        assert "Downloading model: 12%" in job.error.message


def test_an_old_engine_is_refused_with_a_remedy(make_queue: Callable[..., JobQueue]) -> None:
    jobs = make_queue("old_version")
    job, seconds = run(jobs)
    assert seconds < NOTICED
    assert job.error is not None
    assert job.error.kind == "engine_mismatch"
    assert "0.0.1" in job.error.message
    assert "repair" in job.error.remedy


def test_silence_before_the_greeting_ends_the_wait(
    make_queue: Callable[..., JobQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "HELLO_SECONDS", 0.5)
    job, seconds = run(make_queue("hang_before_hello"))
    assert seconds < NOTICED
    assert job.error is not None
    assert job.error.kind == "engine_hung"


def test_silence_mid_job_is_shown_first_and_ends_the_engine_later(
    make_queue: Callable[..., JobQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "KILL_SECONDS", 3.0)
    jobs = make_queue("hang_mid_job")
    job = jobs.submit(request())
    pump_until(jobs, lambda: job.done == 1)
    assert pump_until(jobs, lambda: jobs.engine_state is EngineState.silent) < NOTICED
    assert "has not answered" in jobs.engine_note
    assert job.state is JobState.running
    process = jobs._client
    assert process is not None
    pump_until(jobs, lambda: job.ended)
    assert job.error is not None
    assert job.error.kind == "engine_hung"
    pump_until(jobs, lambda: not alive(process.pid))


def test_a_jump_of_the_clock_is_not_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = client.Patience()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 3600)
    assert patience.tick() <= client.STEP_SECONDS


def test_cancel_of_waiting_and_running_jobs(make_queue: Callable[..., JobQueue]) -> None:
    jobs = make_queue("obey")
    running, waiting, last = jobs.submit(request(100)), jobs.submit(request()), jobs.submit(request(1))
    pump_until(jobs, lambda: running.done > 0)
    jobs.cancel(waiting.id)
    assert waiting.state is JobState.cancelled
    jobs.cancel(running.id)
    assert running.state is JobState.cancelling
    assert pump_until(jobs, lambda: running.ended) < NOTICED
    assert running.state is JobState.cancelled
    pump_until(jobs, lambda: last.ended)
    assert last.state is JobState.finished


def test_a_cancel_that_is_not_honoured_kills_the_engine(
    make_queue: Callable[..., JobQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "CANCEL_SECONDS", 0.5)
    jobs = make_queue("deaf_to_cancel")
    job = jobs.submit(request())
    pump_until(jobs, lambda: job.done > 0)
    process = jobs._client
    assert process is not None
    jobs.cancel(job.id)
    pump_until(jobs, lambda: job.ended)
    assert job.state is JobState.cancelled
    pump_until(jobs, lambda: not alive(process.pid))


def test_only_the_first_ending_counts(make_queue: Callable[..., JobQueue]) -> None:
    jobs = make_queue("two_endings")
    first, second = jobs.submit(request()), jobs.submit(request())
    ended: list[Job] = []
    deadline = time.monotonic() + 15
    while jobs.busy and time.monotonic() < deadline:
        ended += jobs.pump()
        time.sleep(0.02)
    assert ended == [first, second]
    assert [job.state for job in ended] == [JobState.finished, JobState.finished]


def test_stopping_the_engine_ends_the_process_and_the_jobs(make_queue: Callable[..., JobQueue]) -> None:
    jobs = make_queue("obey")
    job = jobs.submit(request(100))
    pump_until(jobs, lambda: job.done > 0)
    process = jobs._client
    assert process is not None
    jobs.stop_engine()
    assert job.state is JobState.cancelled
    assert jobs.pump() == [job]
    assert jobs.engine_state is EngineState.stopped
    pump_until(jobs, lambda: not alive(process.pid), NOTICED)


def test_stopping_while_starting_leaves_no_process(make_queue: Callable[..., JobQueue]) -> None:
    jobs = make_queue("obey")
    job = jobs.submit(request())
    jobs.stop_engine()
    assert job.state is JobState.cancelled
    again = jobs.submit(request())
    pump_until(jobs, lambda: again.ended)
    assert again.state is JobState.finished


def test_a_missing_engine_is_an_error_of_the_job() -> None:
    def missing() -> EngineCommand:
        raise EngineMissing("The engine is not installed.", "Install it in the preferences.")

    jobs = JobQueue(missing)
    job, _ = run(jobs)
    assert job.error is not None
    assert (job.error.kind, job.error.remedy) == ("engine_missing", "Install it in the preferences.")


def test_an_interpreter_that_does_not_exist_is_an_error_of_the_job() -> None:
    jobs = JobQueue(lambda: EngineCommand("/nowhere/python", str(ROOT)))
    job, _ = run(jobs)
    assert job.error is not None
    assert job.error.kind == "engine_died"
    assert "could not be started" in job.error.message
