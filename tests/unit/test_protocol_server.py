"""The engine's server as a real process, spoken to over raw pipes; the job inside is tests/peers/real_server.py."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import VERSION, protocol
from engine.protocol import (
    Alive,
    CameraMoveRequest,
    Cancel,
    Cancelled,
    Failed,
    Finished,
    Hello,
    Message,
    Progress,
    Shutdown,
    Submit,
)

ROOT = Path(__file__).resolve().parents[2]


class Server:
    """A server process; every line that it sends must be a message."""

    def __init__(self, folder: Path) -> None:
        self.errors = folder / "stderr.txt"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "tests" / "peers" / "real_server.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            )
        self.inbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.inbox.put(protocol.decode(line))
        self.inbox.put(None)

    def say(self, *messages: Message) -> None:
        assert self.process.stdin
        for message in messages:
            self.process.stdin.write(protocol.encode(message))
        self.process.stdin.flush()

    def submit(self, job_id: str, image: str) -> None:
        self.say(Submit(job_id, CameraMoveRequest(image, "clip.mp4", 10)))

    def hear(self, seconds: float = 10.0) -> Message | None:
        """The next message but Alive; None at the end of the stream."""
        while isinstance(message := self.inbox.get(timeout=seconds), Alive):
            pass
        return message

    def ending(self) -> Message | None:
        """The next message that is neither Alive nor Progress."""
        while isinstance(message := self.hear(), Progress):
            pass
        return message

    def close_stdin(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream
            stream.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server(tmp_path)
    greeting = one.hear()
    assert isinstance(greeting, Hello)
    assert (greeting.protocol_version, greeting.engine_version, greeting.devices) == (
        protocol.PROTOCOL_VERSION,
        VERSION,
        ("cpu",),
    )
    assert greeting.memory_bytes > 1 << 28
    yield one
    one.end()


def test_it_lives_while_it_has_nothing_to_do(server: Server) -> None:
    start = time.monotonic()
    assert [type(server.inbox.get(timeout=5)) for _ in range(3)] == [Alive] * 3
    assert time.monotonic() - start < 4


def test_jobs_run_in_order_and_end_once(server: Server) -> None:
    for job_id in ("a", "b", "c"):
        server.submit(job_id, "plain")
    heard = [server.hear() for _ in range(6)]
    assert heard == [
        message
        for job in "abc"
        for message in (Progress(job, "load", 1, 1), Finished(job, {"clip": "clip.mp4", "job_id": job}))
    ]


def test_nothing_that_a_library_prints_breaks_the_stream(server: Server) -> None:
    server.submit("a", "chatter")
    assert isinstance(server.ending(), Finished)
    printed = server.errors.read_text()
    for text in ("a library's print", "half a line", "straight to the descriptor", "from C", "from a child"):
        assert text in printed


def test_a_library_that_reads_stdin_takes_no_message_away(server: Server) -> None:
    server.submit("a", "stdin")
    assert isinstance(server.ending(), Finished)


@pytest.mark.parametrize(
    ("image", "kind", "text"),
    [
        ("bad", "bad_still", "The file is no picture."),
        ("bug", "internal_error", "ZeroDivisionError in real_server.py, line"),
        ("memory", "out_of_memory", "memory"),
        ("exit", "internal_error", "a library gives up"),
        ("missing", "engine_missing", "no_such_package_anywhere"),
        ("not_json", "internal_error", "TypeError"),
    ],
)
def test_a_failure_is_named_and_the_engine_lives_on(server: Server, image: str, kind: str, text: str) -> None:
    server.submit("a", image)
    failed = server.ending()
    assert isinstance(failed, Failed)
    assert failed.kind == kind
    assert text in failed.message
    assert failed.remedy
    assert ("Traceback" in server.errors.read_text()) == (image != "bad")
    server.submit("b", "plain")
    assert isinstance(server.ending(), Finished)


def test_cancel_of_waiting_and_running_jobs(server: Server) -> None:
    server.submit("a", "loop")
    server.submit("b", "plain")
    server.submit("c", "plain")
    assert isinstance(server.hear(), Progress)
    server.say(Cancel("b"))
    assert server.ending() == Cancelled("b")
    server.say(Cancel("a"), Cancel("a"), Cancel("nobody"))
    assert server.ending() == Cancelled("a")
    last = server.ending()
    assert isinstance(last, Finished)
    assert last.job_id == "c"


def test_progress_is_thinned_out_and_its_last_step_is_told(server: Server) -> None:
    server.submit("a", "fast")
    heard: list[Message | None] = []
    while not isinstance(message := server.hear(), Finished):
        heard.append(message)
    assert 1 <= len(heard) < 200
    assert isinstance(heard[-1], Progress)
    assert heard[-1].done == 20000


def test_seconds_left_follow_the_rate(server: Server) -> None:
    server.submit("a", "loop")
    first = server.hear()
    assert isinstance(first, Progress)
    assert first.seconds_left == -1
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        message = server.hear()
        assert isinstance(message, Progress)
        if message.seconds_left >= 0:
            break
    # 600 steps of a twentieth of a second; a loaded machine is slower, never faster.
    assert 25 < message.seconds_left < 120


@pytest.mark.parametrize("image", ["loop", "deaf", ""])
def test_the_end_of_stdin_ends_the_process_soon(server: Server, image: str) -> None:
    if image:
        server.submit("a", image)
        assert isinstance(server.hear(), Progress)
    server.close_stdin()
    assert server.process.wait(8) == (1 if image == "deaf" else 0)
    assert isinstance(server.ending(), Cancelled if image == "loop" else type(None))


def test_shutdown_ends_with_status_0(server: Server) -> None:
    server.submit("a", "loop")
    server.submit("b", "plain")
    assert isinstance(server.hear(), Progress)
    server.say(Shutdown())
    endings = {server.ending(), server.ending()}
    assert endings == {Cancelled("a"), Cancelled("b")}
    assert server.process.wait(8) == 0


@pytest.mark.parametrize(
    "line", [b"hello\n", b"{}\n", b'{"type": "Alive"}\n', b'{"type": "Submit", "job_id": "a"}\n', b"\xff\xfe\n"]
)
def test_a_line_that_is_no_message_ends_it_with_a_sentence(server: Server, line: bytes) -> None:
    assert server.process.stdin
    server.process.stdin.write(line)
    server.process.stdin.flush()
    assert server.process.wait(8) == 1
    assert "no message for the engine" in server.errors.read_text()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal for one process")
def test_ctrl_c_in_blenders_terminal_does_not_reach_the_job(server: Server) -> None:
    server.process.send_signal(signal.SIGINT)
    server.submit("a", "plain")
    assert isinstance(server.ending(), Finished)
    assert "Traceback" not in server.errors.read_text()
