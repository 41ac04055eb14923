"""What every job does: stages that are timed, reported and stopped between two steps."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .. import VERSION
from ..errors import JobCancelled
from ..files import write_whole

Report = Callable[..., None]  # stage, done, total, and perhaps preview: the path of a small picture or movie


class Stages:
    """Times the stages of a job, reports them and stops between two steps when the person cancelled."""

    def __init__(self, report: Report, cancelled: Callable[[], bool]) -> None:
        self._report, self._cancelled = report, cancelled
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Brackets a stage: 0 of 1 at its beginning; its seconds at its end, added up where it comes back."""
        self.step(name, 0, 1)
        start = time.perf_counter()
        yield
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - start, 3)

    def step(self, name: str, done: int, total: int, preview: str = "") -> None:
        """Reports a step. Raises JobCancelled."""
        self.check()
        if preview:
            self._report(name, done, total, preview=preview)
        else:
            self._report(name, done, total)

    def check(self) -> None:
        """Raises JobCancelled where the person cancelled."""
        if self._cancelled():
            raise JobCancelled


def record(job_id: str, sidecar: str, result: dict[str, Any]) -> dict[str, Any]:
    """Writes the result beside what was made, with the job's id, so that it can be found without the message; the
    result as it will be read. Raises OutputFailed."""
    text = json.dumps({"job_id": job_id, "engine_version": VERSION, "sidecar": sidecar} | result, indent=1,
                      ensure_ascii=False)
    write_whole(sidecar, text.encode())
    return json.loads(text)
