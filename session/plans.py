"""What a generated clip would take, asked of an engine process of its own while a person turns the knobs.

    draw()  -> answer(request)   what is known of it; what is not known is wished for
    timer   -> pump()            asks once the wish has stayed the same for a moment
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..engine.errors import DioramaError
from ..engine.protocol import PlanRequest
from .command import EngineCommand
from .queue import JobQueue

SETTLE_SECONDS = 0.4  # a slider that is being dragged asks nothing
WARM_SECONDS = 30.0
MOST_ANSWERS = 100


class PlanDesk:
    """All methods return at once, on the main thread."""

    def __init__(self, command: Callable[[], EngineCommand]) -> None:
        """command: called in a thread when the process must be started."""
        self.controls: dict[str, frozenset[str]] = {}  # by a model's folder: what it can be told, as the engine found
        self._answers: dict[PlanRequest, dict[str, Any] | DioramaError] = {}
        self._wish: PlanRequest | None = None
        self._since = 0.0
        self._queue = JobQueue(command, WARM_SECONDS)

    @property
    def busy(self) -> bool:
        """Whether the timer must look often."""
        return self._wish is not None or self._queue.busy

    def answer(self, request: PlanRequest) -> dict[str, Any] | DioramaError | None:
        """The plan, why there is none, or None as long as it is being asked for."""
        if request not in self._answers and request != self._wish:
            self._wish, self._since = request, time.monotonic()
        return self._answers.get(request)

    def pump(self) -> None:
        """Takes in what happened. Never waits."""
        for job in self._queue.pump():
            if len(self._answers) >= MOST_ANSWERS:
                self._answers.clear()
            if answer := job.result or job.error:
                self._answers[job.request] = answer
            if job.result:
                self.controls[job.request.generate.model] = frozenset(job.result["controls"])
            self._queue.forget(job.id)
        if self._wish in self._answers:
            self._wish = None
        if self._wish and not self._queue.busy and time.monotonic() - self._since >= SETTLE_SECONDS:
            self._queue.submit(self._wish)

    def reset(self) -> None:
        """What is known may be wrong now, such as after the engine or the free memory changed."""
        self._answers.clear()
        self._wish = None

    def stop(self) -> None:
        """Ends the process: what it holds of the graphics memory is wanted by a job."""
        self._wish = None
        self._queue.stop_engine()

    def close(self, wait: float = 3.0) -> None:
        """Ends the process, if one runs."""
        self._queue.close(wait)
