"""The engine as a child process: messages of engine/protocol on stdio, one job at a time. `python -m engine serve`.

    stdin  -> reader (main thread)  -> waiting jobs
    worker thread                   -> runs the jobs, one after the other
    outbox thread                   -> the only writer of the stream; the heartbeat

The stream is a private copy of stdout; file descriptor 1 itself leads to stderr, so that nothing that a library prints,
in Python or in C, can break the stream. Docs: docs/protocol.md.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from typing import Any

from . import VERSION
from .errors import DioramaError, EngineMissing, InternalError, JobCancelled, OutOfMemory
from .protocol import (
    HEARTBEAT_SECONDS,
    MAX_LINE_BYTES,
    PROTOCOL_VERSION,
    Alive,
    Cancel,
    Cancelled,
    Failed,
    Finished,
    Hello,
    MalformedMessage,
    Message,
    Progress,
    Request,
    Shutdown,
    Submit,
    decode,
    encode,
)

PROGRESS_SECONDS = 0.1  # nobody reads faster
NICENESS = 5  # Blender's window comes first when both want the same core
GRACE_SECONDS = 2.0  # for a job to clean up after Shutdown or the parent's death; then the process ends regardless
HUNG_SECONDS = 8.0  # the session gives up after 10 s of silence: before that, stderr shall say where we hang
TIMED_STAGES = ("render", "denoise", "write")  # before these, nobody knows how long they will take


def serve() -> int:
    """Serves until Shutdown or the end of stdin; the exit status. A job that does not stop is not waited for."""
    stream, commands = _take_stdio()
    if sys.platform != "win32":     # there the session starts it so
        os.nice(NICENESS)
    # Ctrl-C in the terminal that Blender was started from is meant for Blender; we end when our stdin ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    outbox = Outbox(stream)
    outbox.post(Hello(PROTOCOL_VERSION, VERSION, ("cpu",), memory_bytes()))
    outbox.start()
    worker = Worker(outbox)
    worker.start()
    status = _read_commands(commands, worker)
    worker.shut_down()
    worker.join(GRACE_SECONDS)
    outbox.close()
    if worker.is_alive():
        # A job that does not look at its cancel flag must not outlive Blender as an orphan that eats a processor.
        sys.stderr.write("The running job did not stop in time; the engine ends without it.\n")
        sys.stderr.flush()
        os._exit(status or 1)
    return status


def _take_stdio() -> tuple[int, int]:
    """Private copies of stdout and stdin; afterwards fd 1 leads to stderr and fd 0 to nothing, for C libraries too."""
    sys.stdout.flush()
    stream, commands = os.dup(1), os.dup(0)  # not inherited by processes that a library starts
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout = sys.stderr
    return stream, commands


def _read_commands(commands: int, worker: Worker) -> int:
    """Takes in the session's messages until Shutdown or the end of stdin (0), or a line that is no message (1).

    A broken stream is not read on: the line might have been a job, and the session would wait for its end for ever.
    """
    rest = b""
    while chunk := os.read(commands, 65536):
        *lines, rest = (rest + chunk).split(b"\n")
        try:
            if len(rest) > MAX_LINE_BYTES:
                raise MalformedMessage("a line without end")
            for line in lines:
                match decode(line):
                    case Submit(job_id, request):
                        worker.submit(job_id, request)
                    case Cancel(job_id):
                        worker.cancel(job_id)
                    case Shutdown():
                        return 0
                    case other:
                        raise MalformedMessage(f"{type(other).__name__} is not for the engine")
        except MalformedMessage as error:
            sys.stderr.write(f"The session sent something that is no message for the engine: {error}.\n")
            sys.stderr.flush()
            return 1
    return 0


class Outbox(threading.Thread):
    """The only writer of the stream. Posting never blocks; progress is thinned out; silence is filled with Alive."""

    def __init__(self, stream: int) -> None:
        super().__init__(name="outbox", daemon=True)
        self._stream = stream
        self._wake = threading.Condition()
        self._lines: deque[bytes] = deque()
        self._progress: Progress | None = None
        self._closed = False

    def post(self, message: Message) -> None:
        """Takes a message for sending. Raises TypeError or ValueError for one that is no JSON or too long."""
        with self._wake:
            if isinstance(message, Progress):
                if self._progress and self._progress.stage != message.stage:
                    self._flush_progress()
                self._progress = message
                return  # the next beat takes it along
            line = encode(message)
            if len(line) > MAX_LINE_BYTES:
                raise ValueError(f"a message of {len(line)} bytes is too long")
            self._flush_progress()
            self._lines.append(line)
            self._wake.notify()

    def close(self) -> None:
        """Sends what is left and ends the thread; waits for that at most a second."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self.join(1.0)

    def run(self) -> None:
        last = time.monotonic()
        while True:
            with self._wake:
                if not self._lines and not self._closed:
                    self._wake.wait(PROGRESS_SECONDS)
                self._flush_progress()
                lines, closed = list(self._lines), self._closed
                self._lines.clear()
            now = time.monotonic()
            if not lines and now - last >= HEARTBEAT_SECONDS:
                lines = [encode(Alive())]
            if lines:
                last = now
                faulthandler.dump_traceback_later(HUNG_SECONDS, file=sys.__stderr__ or 2)
                try:
                    _write(self._stream, b"".join(lines))
                except OSError:
                    return  # nobody listens any more: stdin ends too, and that ends the process
            if closed:
                faulthandler.cancel_dump_traceback_later()
                return

    def _flush_progress(self) -> None:
        if self._progress:
            self._lines.append(encode(self._progress))
            self._progress = None


class Worker(threading.Thread):
    """Runs the jobs in order. Each ends with exactly one terminal message."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__(name="worker", daemon=True)
        self._outbox = outbox
        self._wake = threading.Condition()
        self._waiting: dict[str, Request] = {}
        self._running = ""
        self._cancel = threading.Event()
        self._closed = False

    def submit(self, job_id: str, request: Request) -> None:
        with self._wake:
            if job_id == self._running or job_id in self._waiting:
                raise MalformedMessage(f"job {job_id} was sent twice")
            self._waiting[job_id] = request
            self._wake.notify()

    def cancel(self, job_id: str) -> None:
        """Stops the running job at its next step, or drops a waiting one; an unknown one has ended already."""
        with self._wake:
            if job_id == self._running:
                self._cancel.set()
            elif self._waiting.pop(job_id, None):
                self._outbox.post(Cancelled(job_id))

    def shut_down(self) -> None:
        """Cancels everything and ends the thread once the running job has stopped."""
        with self._wake:
            for job_id in self._waiting:
                self._outbox.post(Cancelled(job_id))
            self._waiting.clear()
            self._closed = True
            self._cancel.set()
            self._wake.notify()

    def run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                job_id = next(iter(self._waiting))
                request = self._waiting.pop(job_id)
                self._running = job_id
                self._cancel.clear()
            last_words = self._run_job(job_id, request)
            with self._wake:
                # Under the lock: a Cancel that comes now finds the job either running or gone, never in between.
                self._running = ""
                self._say(job_id, last_words)

    def _run_job(self, job_id: str, request: Request) -> Message:
        """The job's terminal message."""
        estimate = Remaining()

        def report(stage: str, done: int, total: int, preview: str = "") -> None:
            self._outbox.post(Progress(job_id, stage, done, total, estimate.seconds(stage, done, total), preview))

        try:
            from .jobs import run_job  # here, so that Hello does not wait for the heavy imports

            return Finished(job_id, run_job(job_id, request, report, self._cancel.is_set))
        except JobCancelled:
            return Cancelled(job_id)
        except DioramaError as error:
            return _failed(job_id, error)
        except ImportError as error:
            traceback.print_exc()
            return _failed(
                job_id,
                EngineMissing(
                    f"A part of the engine is missing or broken: {error}.", "Repair the engine in the preferences."
                ),
            )
        except MemoryError:
            traceback.print_exc()
            return _failed(
                job_id, OutOfMemory("The machine ran out of memory.", "Close other programs, or choose a smaller clip.")
            )
        except (
            BaseException
        ) as error:  # also a library's SystemExit: the job must end with a message, the engine lives on
            traceback.print_exc()
            return _failed(job_id, _internal(error))

    def _say(self, job_id: str, last_words: Message) -> None:
        try:
            self._outbox.post(last_words)
        except (TypeError, ValueError) as error:  # a result that is no JSON
            traceback.print_exc()
            self._outbox.post(_failed(job_id, _internal(error)))


class Remaining:
    """Estimates the seconds left from the rate of the current stage."""

    def __init__(self) -> None:
        self._stage = ""
        self._first = (0, 0.0)

    def seconds(self, stage: str, done: int, total: int) -> float:
        """Seconds left, or -1 while that is unknown: in the stages before the long ones, and in the first second."""
        now = time.monotonic()
        if stage != self._stage or done < self._first[0]:
            self._stage, self._first = stage, (done, now)
            # The first step of a stage may compile and fill caches; it says nothing about the others.
        elif self._first[0] == 0 and done > 0:
            self._first = (done, now)
        steps, elapsed = done - self._first[0], now - self._first[1]
        if stage not in TIMED_STAGES or self._first[0] == 0 or steps < 1 or elapsed < 1.0:
            return -1.0
        return round((total - done) * elapsed / steps, 1)


def memory_bytes() -> int:
    """Main memory of the machine, 0 where it cannot be told."""
    if os.name == "nt":
        import ctypes

        class Status(ctypes.Structure):
            _fields_ = [
                ("length", ctypes.c_ulong),
                ("load", ctypes.c_ulong),
                *(
                    (name, ctypes.c_ulonglong)
                    for name in ("total", "free", "page", "page_free", "virtual", "virtual_free", "extended")
                ),
            ]

        status = Status(length=ctypes.sizeof(Status))
        windll: Any = ctypes.windll  # type: ignore[attr-defined]
        return int(status.total) if windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)) else 0
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _failed(job_id: str, error: DioramaError) -> Failed:
    return Failed(job_id, error.kind, error.message, error.remedy)


def _internal(error: BaseException) -> InternalError:
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {os.path.basename(frames[-1].filename)}, line {frames[-1].lineno}" if frames else ""  # noqa: PTH119
    text = (str(error).splitlines() or [""])[0][:200]
    return InternalError(
        f"The engine made a mistake ({type(error).__name__}{place}): {text}",
        "Try again; if it comes back, please report it with the end of the engine's messages.",
    )


def _write(stream: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(stream, view) :]
