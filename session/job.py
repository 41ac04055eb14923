"""One run, as the panels and operators see it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..engine.errors import DioramaError


class JobState(Enum):
    waiting = "waiting"
    running = "running"
    cancelling = "cancelling"
    finished = "finished"
    cancelled = "cancelled"
    failed = "failed"


@dataclass
class Job:
    """One run. Read it freely; only the queue changes it.

    request: a protocol.Request, or a RenderRequest for another Blender. label: for people. tag: plain JSON of the
    caller, never looked at here. stage, done, total, seconds_left (negative = unknown), preview: as in
    protocol.Progress, the last preview that came.
    result: of protocol.Finished. error: with kind, message and remedy. details: the end of the stderr of the process
    that failed.
    """

    id: str
    request: Any
    label: str
    tag: dict[str, Any]
    state: JobState = JobState.waiting
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float = -1.0
    preview: str = ""
    result: dict[str, Any] | None = None
    error: DioramaError | None = None
    details: str = ""

    @property
    def ended(self) -> bool:
        return self.state in (JobState.finished, JobState.cancelled, JobState.failed)
