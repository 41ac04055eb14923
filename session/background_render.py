"""Frames that another Blender renders in background: its process, its progress, and the one end of each job.

The child (rig/background.py) reads a saved copy of the .blend and writes pictures into a folder beside the final one,
each under its final name only when it is whole. On stdout, between Blender's own chatter, it sends lines that begin
with MARK: {"type": "progress", ...}, then once {"type": "done", "result": ...} or {"type": "failed", ...}. It ends when
its stdin does. A folder that a crash left behind is taken up again by the next attempt.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from ..engine import VERSION
from ..engine.errors import DioramaError, EngineDied, EngineHung, InternalError, OutputFailed
from .client import LAST_WORDS_SECONDS, Patience
from .command import below_normal_priority, clean_environment, no_window
from .job import Job, JobState

MARK = b"DIORAMA "
STAGED_SUFFIX = ".rendering"
START_SECONDS = 180.0  # until the first line of ours: a large file on a slow disk; a frame may then take any time
END_SECONDS = 10.0  # for the process to go after it said that it is done
LONGEST_LINE = 1 << 24
TAIL_LINES = 40
AGAIN = "Try again: pictures that are done are kept."


@dataclass(frozen=True)
class RenderRequest:
    """What another Blender shall render.

    command: the program and its arguments; the path of the file with the task is added. blend: the saved copy. output:
    the folder to be made. task: what rig/background.py reads, plain JSON. settings: repeated in the result.
    """

    command: tuple[str, ...]
    blend: str
    output: str
    task: dict[str, Any] = field(default_factory=dict[str, Any])
    settings: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def staged(self) -> str:
        """Where the pictures are until all are done."""
        return self.output + STAGED_SUFFIX


class _Child:
    """One process. Threads start it, read it, and put its pictures in their place; nothing here waits for them."""

    def __init__(self, job: Job) -> None:
        self.job_id, self.request = job.id, cast("RenderRequest", job.request)
        self.progress: dict[str, Any] | None = None
        self.ending: dict[str, Any] | None = None
        self.error: DioramaError | None = None
        self.result: dict[str, Any] | None = None
        self.ended = False
        self.heard = False
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._lock = threading.Lock()
        self._tail: list[str] = []
        self._started = time.monotonic()
        self.thread = threading.Thread(name="diorama-render", target=self._run, daemon=True)
        self.thread.start()

    def kill(self) -> None:
        """Ends the process; it has nothing to tidy up."""
        with self._lock:
            self._killed = True
            if self._process:
                self._process.kill()

    def tail(self) -> str:
        """The last lines that the process wrote, whatever they were."""
        return "\n".join(self._tail[-TAIL_LINES:])

    def _run(self) -> None:
        """In a thread: the whole life of the process."""
        try:
            self._live()
        except DioramaError as error:
            self.error = error
        except OSError as error:
            self.error = OutputFailed(
                f"The pictures could not be written: {error.strerror or error}.",
                "Choose a folder that can be written to and has free space.",
            )
        except Exception as error:  # whatever happens here, the job must end with a sentence
            self.error = InternalError(f"The render could not be watched: {error!r}.", "Please report this.")
        self.ended = True

    def _live(self) -> None:
        request = self.request
        staged = Path(request.staged)
        staged.mkdir(parents=True, exist_ok=True)
        task = staged / "task.json"
        task.write_text(json.dumps(request.task | {"blend": request.blend, "folder": str(staged)}), encoding="utf-8")
        environment = clean_environment() | {"PYTHONDONTWRITEBYTECODE": "1"}
        with self._lock:
            if self._killed:
                return
            try:
                self._process = process = subprocess.Popen(
                    [*request.command, str(task)],
                    env=environment,
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    creationflags=no_window() | below_normal_priority(),
                    start_new_session=os.name != "nt",
                )
            except OSError as error:
                raise EngineDied(f"Another Blender could not be started: {error}.", "Restart Blender.") from error
        assert process.stdin and process.stdout
        reader = threading.Thread(name="diorama-render-reader", target=self._read, args=(process.stdout,), daemon=True)
        reader.start()
        patience = Patience()
        while process.poll() is None:
            if self.ending and patience.tick() > END_SECONDS:
                process.kill()
            elif not self.ending:
                patience.reset()
            time.sleep(0.02)
        reader.join(LAST_WORDS_SECONDS)  # a grandchild may hold the pipe open
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # nothing is left to be sent
                stream.close()
        if not self._killed:
            self._judge(process.returncode)

    def _judge(self, status: int) -> None:
        ending = self.ending
        if ending is None:
            words = next((line for line in reversed(self._tail) if line.strip()), "")
            said = f"; its last words were: {words.strip()[:200].rstrip('.')}" if words else ""
            raise EngineDied(f"The Blender that rendered stopped unexpectedly (status {status}){said}.", AGAIN)
        if ending["type"] == "failed":
            raise OutputFailed(str(ending.get("message", "The render failed.")), str(ending.get("remedy", AGAIN)))
        self.result = self._publish(cast("dict[str, Any]", ending["result"]))

    def _publish(self, said: dict[str, Any]) -> dict[str, Any]:
        """Gives the pictures their final place; the result, which is also written beside them."""
        staged, output = Path(self.request.staged), Path(self.request.output)
        names = [str(name) for name in said.pop("names")]
        if not names or not all((staged / name).is_file() for name in names):
            raise EngineDied("The Blender that rendered did not write all pictures.", AGAIN)
        if output.exists():
            raise OutputFailed(f"'{output.name}' is there already.", "Move it away and try again.")
        (staged / "task.json").unlink(missing_ok=True)
        staged.rename(output)
        result: dict[str, Any] = {
            "job_id": self.job_id,
            "engine_version": VERSION,
            "clip": str(output),
            "files": [str(output / name) for name in names],
            "sidecar": f"{output}.json",
            "depth_label": "",
            "depth_preview": "",
            "settings": self.request.settings,
            "warnings": [],
            "seconds": {"render": round(time.monotonic() - self._started, 3)},
        }
        result.update(said)
        part = Path(f"{output}.json.part")
        part.write_text(json.dumps(result, indent=1, ensure_ascii=False), encoding="utf-8")
        part.replace(f"{output}.json")
        return result

    def _read(self, stream: IO[bytes]) -> None:
        rest = b""
        while chunk := _read_some(stream):
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest[-LONGEST_LINE:]
            for line in lines:
                self._take(line)
        self._take(rest)

    def _take(self, line: bytes) -> None:
        if not line.startswith(MARK):
            if line.strip():
                self._tail = [*self._tail[-TAIL_LINES:], line.decode("utf-8", "replace")[:500]]
            return
        try:
            message = json.loads(line[len(MARK) :])
            kind = message["type"]
            if kind == "progress":
                self.progress = {name: message[name] for name in ("stage", "done", "total")}
            elif kind == "failed" or (kind == "done" and isinstance(message["result"]["names"], list)):
                self.ending = self.ending or message
        except (ValueError, KeyError, TypeError):
            self._tail.append(f"a broken line: {line[:100]!r}")
            return
        self.heard = True


class BackgroundRenders:
    """Runs the render jobs of a queue, one after the other. Main thread only; never waits, except close()."""

    def __init__(self) -> None:
        self._running: tuple[Job, _Child] | None = None
        self._silence = Patience()
        self._rate: tuple[str, int, float] = ("", 0, 0.0)

    def pump(self, jobs: list[Job]) -> list[tuple[Job, JobState]]:
        """Takes in what happened, starts the next job; returns the jobs that ended, and how."""
        ended: list[tuple[Job, JobState]] = []
        if self._running:
            job, child = self._running
            state = self._look(job, child)
            if state:
                self._running = None
                ended.append((job, state))
        if not self._running:
            waiting = (j for j in jobs if j.state is JobState.waiting and isinstance(j.request, RenderRequest))
            job = next(waiting, None)
            if job:
                job.state, job.stage = JobState.running, "scene"
                self._running = job, _Child(job)
                self._silence.reset()
        return ended

    def cancel(self, job: Job) -> None:
        """Stops a running render; one that waits is the queue's."""
        if self._running and self._running[0] is job:
            job.state = JobState.cancelling
            self._running[1].kill()

    def close(self, wait: float) -> None:
        """Ends the running process; waits at most `wait` seconds for that."""
        if self._running:
            child = self._running[1]
            child.kill()
            child.thread.join(wait)
            self._running = None

    def _look(self, job: Job, child: _Child) -> JobState | None:
        progress = child.progress
        if progress:
            job.stage, job.done, job.total = progress["stage"], progress["done"], progress["total"]
            job.seconds_left = self._seconds_left(job)
        if child.heard:
            self._silence.reset()
        elif self._silence.tick() > START_SECONDS and not child.ended:
            child.kill()
            job.details = child.tail()
            job.error = EngineHung(
                f"The Blender that shall render said nothing for {START_SECONDS:.0f} seconds and was stopped.", AGAIN
            )
            return JobState.failed
        if not child.ended:
            return None
        job.result, job.error, job.details = child.result, child.error, child.tail() if child.error else ""
        if child.result:
            return JobState.finished  # also when a cancel came too late: the pictures are there
        if job.state is JobState.cancelling:
            job.error = None
            return JobState.cancelled
        job.error = job.error or EngineDied("The Blender that rendered was stopped.", AGAIN)
        return JobState.failed

    def _seconds_left(self, job: Job) -> float:
        """From the rate since the stage's first finished step, which may have compiled and loaded much."""
        stage, first, since = self._rate
        now = time.monotonic()
        if stage != job.stage or job.done < first or first == 0:
            self._rate = job.stage, job.done, now
            return -1.0
        steps = job.done - first
        return round((job.total - job.done) * (now - since) / steps, 1) if steps else job.seconds_left


def _read_some(stream: IO[bytes]) -> bytes:
    """The next bytes, b"" at the end. The stream may be closed under us once the process is gone."""
    try:
        return stream.read(65536) or b""
    except (OSError, ValueError):
        return b""
