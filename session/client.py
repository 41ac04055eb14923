"""One engine process as seen from Blender: three threads on its pipes, and a poll() that never waits.

    process.stdout -> reader thread -> inbox (bounded) -> poll() on Blender's main thread
    process.stderr -> tail thread   -> the last lines, kept for the person
    send()         -> outbox        -> writer thread -> process.stdin

A fault (death, silence, garbage, a wrong version) is kept in `fault` as one of the errors of engine/errors.py. The
client does not restart anything: that is the queue's business.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import threading
import time
from typing import IO

from ..engine import VERSION, protocol
from ..engine.errors import DioramaError, EngineDied, EngineHung, EngineMismatch
from .command import EngineCommand, below_normal_priority, no_window

HELLO_SECONDS = 20.0  # a cold disk and a virus scanner can hold up the first start of a Python that long
KILL_SECONDS = 10.0  # silence is shown after SILENCE_SECONDS, but a laptop under load must not lose work: wait longer
STEP_SECONDS = 1.0  # waiting counts at most this much per poll, so that a suspended laptop is not taken for a hang
LAST_WORDS_SECONDS = 0.5  # after the process ended, its pipe may still hold messages; a grandchild may hold it open
MESSAGES_PER_SECOND = 2000  # an honest engine sends about 13
INBOX_LIMIT = 1000
TAIL_BYTES = 16384
TAIL_LINES = 40


class Patience:
    """Seconds waited, counted in steps of at most STEP_SECONDS.

    A suspended laptop and a main thread that was busy for a minute make clocks jump; neither means a hang.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.seconds = 0.0
        self._last = time.monotonic()

    def tick(self) -> float:
        now = time.monotonic()
        self.seconds += min(now - self._last, STEP_SECONDS)
        self._last = now
        return self.seconds


class EngineClient:
    """A started engine process. All public methods return at once, except end(wait=...)."""

    def __init__(self, command: EngineCommand) -> None:
        """Starts the process (this may take a tenth of a second: call it off the main thread). Raises EngineDied."""
        self.hello: protocol.Hello | None = None
        self.fault: DioramaError | None = None
        self._inbox: list[protocol.Message] = []
        self._progress: dict[str, protocol.Progress] = {}
        self._lock = threading.Lock()
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._tail = b""
        self._garbage = ""
        self._heard = 0
        self._seen = 0
        self._silence = Patience()
        self._dead = Patience()
        self._ended = False
        try:
            self._process = subprocess.Popen(
                command.arguments(),
                env=command.variables(),
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                creationflags=no_window() | below_normal_priority(),
                start_new_session=os.name != "nt",
            )
        except OSError as error:
            raise EngineDied(
                f"The engine could not be started: {error}.", "Repair the engine in the preferences."
            ) from error
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._reader = _thread("diorama-engine-reader", self._read, self._process.stdout)
        self._stderr = _thread("diorama-engine-stderr", self._keep_tail, self._process.stderr)
        _thread("diorama-engine-writer", self._write, self._process.stdin)

    # ------------------------------------------------------------------ main thread

    @property
    def silent_seconds(self) -> float:
        """How long a greeted engine has said nothing, as far as poll() saw."""
        return self._silence.seconds

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: protocol.Message) -> None:
        """Hands a message to the writer thread; never blocks and never fails (a dead engine is found by poll)."""
        self._outbox.put(protocol.encode(message))

    def poll(self) -> list[protocol.Message]:
        """The messages since the last call, progress only the latest per job; sets `fault` when something is wrong."""
        exited = self._process.poll()
        with self._lock:
            messages: list[protocol.Message] = [*self._progress.values(), *self._inbox]
            self._progress.clear()
            self._inbox.clear()
            heard, garbage = self._heard, self._garbage
        if heard != self._seen:
            self._seen = heard
            self._silence.reset()
        else:
            self._silence.tick()
        for message in messages:
            if isinstance(message, protocol.Hello):
                self.hello = message
        if self.fault is None:
            self.fault = self._judge(exited, garbage)
        return messages

    def end(self, grace: float = 2.0, wait: float = 0.0) -> None:
        """Asks the engine to stop, kills it after `grace` seconds, and waits at most `wait` seconds for that."""
        if not self._ended:
            self._ended = True
            if grace > 0:
                self.send(protocol.Shutdown())
            self._outbox.put(None)
            self._reaper = _thread("diorama-engine-reaper", self._reap, grace)
        if wait > 0:
            self._reaper.join(wait)

    def stderr_tail(self) -> str:
        """The last lines that the engine wrote on stderr."""
        text = self._tail.decode("utf-8", "replace")
        return "\n".join(line[:500] for line in text.splitlines()[-TAIL_LINES:])

    def _judge(self, exited: int | None, garbage: str) -> DioramaError | None:
        again = "Try again: the engine starts anew by itself. If this comes back, repair the engine in the preferences."
        if garbage:
            return EngineDied(f"The engine sent something that is no message: {garbage}.", again)
        hello = self.hello
        if hello and (hello.protocol_version, hello.engine_version) != (protocol.PROTOCOL_VERSION, VERSION):
            return EngineMismatch(
                f"The engine is version {hello.engine_version} (protocol {hello.protocol_version}), the add-on needs "
                f"{VERSION} (protocol {protocol.PROTOCOL_VERSION}).",
                "Restart Blender; if this comes back, repair the engine in the preferences.",
            )
        if exited is not None:
            # Last words may be in the pipe, and stderr says why.
            if (self._reader.is_alive() or self._stderr.is_alive()) and self._dead.tick() < LAST_WORDS_SECONDS:
                return None
            return EngineDied(f"The engine stopped unexpectedly ({_exit_text(exited)}){self._last_line()}.", again)
        self._dead.reset()
        if hello is None and self._silence.seconds > HELLO_SECONDS:
            return EngineHung(
                f"The engine did not answer within {HELLO_SECONDS:.0f} seconds of its start{self._last_line()}.", again
            )
        if hello and self._silence.seconds > KILL_SECONDS:
            return EngineHung(f"The engine has said nothing for {KILL_SECONDS:.0f} seconds and was stopped.", again)
        return None

    def _last_line(self) -> str:
        lines = [line.strip() for line in self.stderr_tail().splitlines() if line.strip()]
        return f"; its last words were: {lines[-1][:200].rstrip('.')}" if lines else ""

    # ------------------------------------------------------------------ threads

    def _read(self, stream: IO[bytes]) -> None:
        """Splits stdout into lines and decodes them here, so that poll() stays cheap. Ends at the first garbage."""
        rest: list[bytes] = []  # pieces of the line that has not ended yet
        length = 0
        window, count = time.monotonic(), 0
        while not self._garbage:
            chunk = _read_some(stream)
            if not chunk:
                return
            length += len(chunk)
            if b"\n" in chunk:
                *lines, chunk = b"".join([*rest, chunk]).split(b"\n")
                rest, length = [], len(chunk)
            else:
                lines: list[bytes] = []
            rest.append(chunk)
            now = time.monotonic()
            if now - window > 1.0:
                window, count = now, 0
            count += len(lines)
            if count > MESSAGES_PER_SECOND:
                self._break("far too many messages at once")
            elif length > protocol.MAX_LINE_BYTES:
                self._break("a line without end")
            else:
                for line in lines:
                    self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            message = protocol.decode(line)
        except protocol.MalformedMessage:
            shown = line[:60].decode("utf-8", "replace").strip()
            self._break(f"“{shown}”" if shown.isprintable() and shown else "bytes that are no text")
            return
        with self._lock:
            self._heard += 1
            if isinstance(message, protocol.Progress):
                self._progress[message.job_id] = message  # only the newest counts
            elif not isinstance(message, protocol.Alive):
                self._inbox.append(message)
            too_many = len(self._inbox) + len(self._progress) > INBOX_LIMIT
        if too_many:
            self._break("far too many messages")

    def _break(self, what: str) -> None:
        with self._lock:
            self._garbage = self._garbage or what

    def _keep_tail(self, stream: IO[bytes]) -> None:
        while chunk := _read_some(stream):
            self._tail = (self._tail + chunk)[-TAIL_BYTES:]

    def _write(self, stream: IO[bytes]) -> None:
        try:
            while (data := self._outbox.get()) is not None:
                view = memoryview(data)
                while view:
                    view = view[stream.write(view) :]
        except OSError:
            pass  # the engine is gone; poll() finds that out and says why
        finally:
            _close(stream)

    def _reap(self, grace: float) -> None:
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(1.0)
        self._stderr.join(1.0)
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                _close(stream)


def _thread(name: str, target: object, *arguments: object) -> threading.Thread:
    # Daemons: Blender must be able to quit while an engine does not let go of its pipes.
    thread = threading.Thread(name=name, target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


def _read_some(stream: IO[bytes]) -> bytes:
    """The next bytes, b"" at the end. The stream may be closed under us once the process is gone."""
    try:
        return stream.read(65536) or b""
    except (OSError, ValueError):
        return b""


def _close(stream: IO[bytes]) -> None:
    with contextlib.suppress(OSError):  # a flush into a broken pipe: nothing is left to be saved
        stream.close()


def _exit_text(status: int) -> str:
    if status == -9:
        return "killed, perhaps because memory ran out"
    return f"signal {-status}" if status < 0 else f"exit status {status}"
