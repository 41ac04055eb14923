"""The jobs of this Blender and the engine that runs them, one after the other.

Everything here is called on Blender's main thread and returns at once; starting a process and reading a disk happen in
threads. A job is sent only when the engine is idle: so a waiting job outlives the engine that dies before its turn.
"""

from __future__ import annotations

import math
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ..engine import protocol
from ..engine.errors import DioramaError, EngineFailure, InternalError
from . import recovery
from .background_render import BackgroundRenders, RenderRequest
from .client import EngineClient, Patience
from .command import EngineCommand
from .job import Job, JobState

CANCEL_SECONDS = 5.0  # a step of a job takes far less; after that the person's wish goes before the warm process


class EngineState(Enum):
    stopped = "stopped"
    starting = "starting"
    ready = "ready"
    silent = "silent"


@dataclass
class _Attempt:
    """What a helper thread leaves for the next pump()."""

    done: bool = False
    client: EngineClient | None = None
    error: DioramaError | None = None
    result: dict[str, Any] | None = None
    abandoned: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class JobQueue:
    """Jobs in the order in which they were submitted, and the state of the engine for the panel."""

    def __init__(self, command: Callable[[], EngineCommand], warm_seconds: float = math.inf) -> None:
        """command: called in a thread each time the engine must be started; raises EngineMissing and its kin.

        warm_seconds: how long an engine without work is kept, with all that it has loaded.
        """
        self.jobs: list[Job] = []
        self.warm_seconds = warm_seconds
        self.engine_state = EngineState.stopped
        self.engine_note = "The engine is not running."
        self._command = command
        self._client: EngineClient | None = None
        self._start: _Attempt | None = None
        self._settling: tuple[_Attempt, Job] | None = None
        self._current: Job | None = None
        self._cancel_wait, self._idle = Patience(), Patience()
        self._ended: list[Job] = []
        self._renders = BackgroundRenders()

    # ------------------------------------------------------------------ what a person does

    @property
    def busy(self) -> bool:
        """Whether any job is waiting or running."""
        return any(not job.ended for job in self.jobs)

    def submit(
        self, request: protocol.Request | RenderRequest, label: str = "", tag: dict[str, Any] | None = None
    ) -> Job:
        """Puts a job at the end of the queue; the engine is started if there is none.

        A RenderRequest goes to a Blender of its own instead and runs beside the engine's jobs.
        """
        job = Job(uuid.uuid4().hex, request, label, dict(tag or {}))
        self.jobs.append(job)
        self._advance()
        return job

    def cancel(self, job_id: str) -> None:
        """Cancels a waiting or running job; without effect on any other."""
        for job in self.jobs:
            if job.id != job_id:
                continue
            if job.state is JobState.waiting:
                self._end(job, JobState.cancelled)
            elif isinstance(job.request, RenderRequest):
                self._renders.cancel(job)
            elif job.state is JobState.running and self._client:
                job.state = JobState.cancelling
                self._cancel_wait.reset()
                self._client.send(protocol.Cancel(job.id))
            elif job.state is JobState.running:
                # Its engine died and a thread still looks for its clip, perhaps on a network folder that hangs.
                job.error, self._settling = None, None
                self._end(job, JobState.cancelled)

    def forget(self, job_id: str) -> None:
        """Drops an ended job from the list; a job that has not ended stays."""
        self.jobs = [job for job in self.jobs if job.id != job_id or not job.ended]

    def stop_engine(self) -> None:
        """Cancels every job of the engine and ends its process; its memory is free within two seconds."""
        for job in self.jobs:
            if not job.ended and not isinstance(job.request, RenderRequest):
                self._end(job, JobState.cancelled)
        self._drop_engine(grace=2.0)
        self._note(EngineState.stopped, "The engine is not running.")

    def close(self, wait: float = 3.0) -> None:
        """For unregister: stops the engine and waits for its end, at most `wait` seconds."""
        client = self._client
        self.stop_engine()
        self._renders.close(wait)
        if client:
            client.end(wait=wait)

    def pump(self) -> list[Job]:
        """Takes in what happened since the last call and returns the jobs that ended. Never waits."""
        self._take_start()
        self._take_settled()
        if self._client:
            self._take_messages(self._client)
        for job, state in self._renders.pump(self.jobs):
            self._end(job, state)
        self._advance()
        self._rest()
        ended, self._ended = self._ended, []
        return ended

    # ------------------------------------------------------------------ the engine

    def _advance(self) -> None:
        """Sends the next waiting job, or starts the engine for it."""
        if self._current or self._start or self._settling:
            return
        waiting = (job for job in self.jobs if job.state is JobState.waiting)
        job = next((job for job in waiting if not isinstance(job.request, RenderRequest)), None)
        if job is None:
            return
        if self._client is None:
            self._note(EngineState.starting, "The engine is starting.")
            self._start = attempt = _Attempt()
            threading.Thread(name="diorama-engine-start", target=self._run_start, args=(attempt,), daemon=True).start()
        elif self._client.hello:
            self._current = job
            job.state = JobState.running
            self._client.send(protocol.Submit(job.id, job.request))

    def _rest(self) -> None:
        """Ends an engine that had nothing to do for so long: only that gives its memory back."""
        if self._client is None or self.busy:
            self._idle.reset()
        elif self._idle.tick() > self.warm_seconds:
            self._drop_engine(grace=2.0)
            self._note(EngineState.stopped, "The engine had nothing to do and was ended; it starts with the next job.")

    def _run_start(self, attempt: _Attempt) -> None:
        """In a thread: finds the command and starts the process."""
        client, error = None, None
        try:
            client = EngineClient(self._command())
        except DioramaError as known:
            error = known
        except Exception as unknown:  # whatever the caller's command does, the job must end with a sentence
            error = InternalError(
                f"The engine could not be started: {unknown!r}.", "Please report this with the text above."
            )
        with attempt.lock:
            attempt.client, attempt.error, attempt.done = client, error, True
            if attempt.abandoned and client:
                client.end(grace=0.0)

    def _take_start(self) -> None:
        attempt = self._start
        if attempt is None or not attempt.done:
            return
        self._start = None
        self._client = attempt.client
        if attempt.error:
            self._fail_start(attempt.error, "")

    def _take_messages(self, client: EngineClient) -> None:
        messages = client.poll()
        for message in messages:
            self._take(message)
        if client.fault:
            self._lose_engine(client, client.fault)
        elif client.hello is None:
            pass
        elif client.silent_seconds > protocol.SILENCE_SECONDS:
            self._note(
                EngineState.silent,
                f"The engine has not answered for {client.silent_seconds:.0f} seconds: the machine may "
                "be very busy or short of memory. Still waiting.",
            )
        else:
            self._note(EngineState.ready, "The engine is ready.")
        job = self._current
        if self._client and job and job.state is JobState.cancelling and self._cancel_wait.tick() > CANCEL_SECONDS:
            self._end(job, JobState.cancelled)
            self._drop_engine(grace=0.0)
            self._note(
                EngineState.stopped,
                "The engine did not stop the cancelled job in time and was ended; it starts anew by itself.",
            )

    def _take(self, message: protocol.Message) -> None:
        """A message of the running job; one for any other job (a second terminal message, say) means nothing."""
        job = self._current
        if job is None or getattr(message, "job_id", None) != job.id:
            return
        if isinstance(message, protocol.Progress):
            job.stage, job.done, job.total = message.stage, message.done, message.total
            job.seconds_left = message.seconds_left
            job.preview = message.preview or job.preview
        elif isinstance(message, protocol.Finished):
            # Also when a cancel came too late: the clip is there, so it is not thrown away.
            job.result = message.result
            self._end(job, JobState.finished)
        elif isinstance(message, protocol.Cancelled):
            self._end(job, JobState.cancelled)
        elif isinstance(message, protocol.Failed):
            job.error = _error(message)
            self._end(job, JobState.failed)

    def _lose_engine(self, client: EngineClient, fault: DioramaError) -> None:
        details = client.stderr_tail()
        greeted = client.hello is not None and fault.kind != "engine_mismatch"
        self._drop_engine(grace=0.0, keep_current=True)
        self._note(EngineState.stopped, f"{fault.message} {fault.remedy}")
        if not greeted:
            self._fail_start(fault, details)
        elif self._current:
            job = self._current
            job.error, job.details = fault, details
            if job.state is JobState.cancelling:
                job.error = None
                self._end(job, JobState.cancelled)
                return
            # The clip may have been finished and only the message lost: look, in a thread, before calling it failed.
            self._settling = attempt, _ = _Attempt(), job
            threading.Thread(name="diorama-recovery", target=_run_settle, args=(attempt, job), daemon=True).start()

    def _take_settled(self) -> None:
        if self._settling is None or not self._settling[0].done:
            return
        (attempt, job), self._settling = self._settling, None
        if job.ended:
            return
        if attempt.result is not None:
            job.result, job.error = attempt.result, None
            self._end(job, JobState.finished)
        else:
            self._end(job, JobState.failed)

    def _fail_start(self, error: DioramaError, details: str) -> None:
        """No engine can be had: every waiting job says so, and nothing is tried again until a new job comes."""
        self._note(EngineState.stopped, f"{error.message} {error.remedy}")
        for job in self.jobs:
            if not job.ended and not isinstance(job.request, RenderRequest):
                job.error, job.details = error, details
                self._end(job, JobState.failed)

    def _drop_engine(self, grace: float, keep_current: bool = False) -> None:
        if self._start:
            with self._start.lock:
                self._start.abandoned = True
                if self._start.client:
                    self._start.client.end(grace=0.0)
            self._start = None
        if self._client:
            self._client.end(grace)
            self._client = None
        if not keep_current:
            self._current = None
            self._settling = None

    def _end(self, job: Job, state: JobState) -> None:
        job.state = state
        self._ended.append(job)
        if job is self._current:
            self._current = None

    def _note(self, state: EngineState, note: str) -> None:
        self.engine_state, self.engine_note = state, note


def _run_settle(attempt: _Attempt, job: Job) -> None:
    output = getattr(job.request, "output", "")  # what is about models makes no file of its own
    attempt.result = recovery.finished_result(output, job.id) if output else None
    attempt.done = True


def _error(failed: protocol.Failed) -> DioramaError:
    """The error of engine/errors.py with this kind."""
    kinds: list[type[DioramaError]] = [DioramaError]
    for known in kinds:
        kinds.extend(known.__subclasses__())
        if known.kind == failed.kind:
            return known(failed.message, failed.remedy)
    return EngineFailure(failed.message, failed.remedy)
