"""The depth models as Blender sees them: what the catalog offers, what lies on this machine, one download at a time.

The catalog is data of the engine's (engine/depth/catalog.toml), read here so that a panel can show names, sizes and
licences before any engine runs. Everything else is done by an engine process of its own, which ends with its work:
so a long download holds up no camera move, and the process that moves cameras is never allowed to use the network.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..engine.errors import DioramaError, EngineFailure
from ..engine.protocol import DownloadModel, ListModels, RemoveModel
from .command import EngineCommand
from .queue import Job, JobQueue, JobState

CATALOG = Path(__file__).parent.parent / "engine" / "depth" / "catalog.toml"


@dataclass(frozen=True)
class DepthModel:
    """What a person should know before a download. ask: the licence must be accepted first."""

    id: str
    name: str
    megabytes: int
    licence: str
    note: str
    ask: bool
    licence_seen: bool

    @property
    def size(self) -> str:
        return f"{self.megabytes / 1000:.1f} GB" if self.megabytes >= 1000 else f"{self.megabytes} MB"

    @property
    def facts(self) -> str:
        """Size, licence and note as one line of sentences."""
        doubt = "" if self.licence_seen else " (from memory; see its page at the model hub)"
        return f"{self.size} to download. Licence: {self.licence}{doubt}. {self.note}"


@functools.cache
def catalog() -> dict[str, DepthModel]:
    """id -> model, in the order in which they are offered."""
    with CATALOG.open("rb") as file:
        entries = tomllib.load(file)
    return {
        key: DepthModel(
            key,
            one["name"],
            one["megabytes"],
            one["licence"],
            one["note"],
            one.get("ask", False),
            one["licence_seen"],
        )
        for key, one in entries.items()
    }


class ModelShelf:
    """All methods return at once, on the main thread; pump() takes in what happened."""

    def __init__(self, command: Callable[[bool], EngineCommand], offline: Callable[[], bool]) -> None:
        """command: the engine, called in a thread with whether it may use the network. offline: asked before that."""
        self.downloaded: frozenset[str] | None = None  # ids; None = nobody has looked yet
        self.devices: tuple[str, ...] = ()
        self.error: DioramaError | None = None
        self._offline = offline
        self._online = False
        self._queue = JobQueue(lambda: command(self._online))

    @property
    def busy(self) -> bool:
        return self._queue.busy

    @property
    def job(self) -> Job | None:
        """The job that runs, or None."""
        return next((job for job in self._queue.jobs if not job.ended), None)

    def look(self) -> None:
        """Finds out what is downloaded."""
        self._begin(ListModels(), "Looking for downloaded models")

    def download(self, model_id: str, accept_licence: bool) -> None:
        """Raises EngineFailure where Blender may not go online; nothing is started then."""
        if self._offline():
            raise EngineFailure(
                "Blender is not allowed to go online, so no model can be downloaded.",
                "Allow online access in Blender's preferences under System. Draft depth works without any download.",
            )
        self._begin(DownloadModel(model_id, accept_licence), f"Downloading {catalog()[model_id].name}", online=True)

    def remove(self, model_id: str) -> None:
        """Deletes the files, offline too."""
        self._begin(RemoveModel(model_id), f"Removing {catalog()[model_id].name}")

    def cancel(self) -> None:
        """Stops a download; what has arrived is kept for the next try."""
        if self.job:
            self._queue.cancel(self.job.id)

    def reset(self) -> None:
        """Nothing is known any more, such as after another engine was installed."""
        self.downloaded, self.devices, self.error = None, (), None

    def pump(self) -> None:
        """Takes in what happened. Never waits."""
        for job in self._queue.pump():
            if job.state is JobState.finished and job.result:
                self.downloaded = frozenset(model["id"] for model in job.result["models"] if model["downloaded"])
                self.devices = tuple(job.result["devices"])
            self.error = job.error
            self._queue.forget(job.id)
            self._queue.stop_engine()

    def stop(self) -> None:
        """Cancels what runs and ends its process."""
        self._queue.stop_engine()

    def close(self, wait: float = 3.0) -> None:
        """Ends the process, if one runs."""
        self._queue.close(wait)

    def _begin(self, request: ListModels | DownloadModel | RemoveModel, label: str, online: bool = False) -> None:
        if self.busy:
            raise EngineFailure("Another model is being worked on.", "Wait until that is done, or cancel it.")
        self.error, self._online = None, online
        self._queue.submit(request, label)
