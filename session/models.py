"""The models as Blender sees them: what the catalogs offer, what lies on this machine, one download at a time.

The catalogs are data of the engine's (engine/depth/catalog.toml, engine/video/catalog.toml), read here so that a panel
can show names, sizes and licences before any engine runs. Everything else is done by an engine process of its own,
which ends with its work: so a long download holds up no job, and the process that makes clips is never allowed to use
the network.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.errors import BadModel, DioramaError, EngineFailure
from ..engine.protocol import DownloadModel, ListModels, RemoveModel
from .command import EngineCommand
from .queue import Job, JobQueue, JobState

ENGINE = Path(__file__).parent.parent / "engine"
OFFERS = {"depth": "Draft depth works without any download.", "video": "Camera Move works without any download."}


@dataclass(frozen=True)
class Model:
    """What a person should know before a download. ask: the licence must be accepted first."""

    id: str
    name: str
    megabytes: int
    licence: str
    note: str
    ask: bool
    licence_seen: bool
    forbids: str = ""
    kind: str = "depth"

    @property
    def size(self) -> str:
        return f"{self.megabytes / 1000:.{0 if self.megabytes >= 10_000 else 1}f} GB" if self.megabytes >= 1000 else (
            f"{self.megabytes} MB"
        )

    @property
    def terms(self) -> str:
        """The licence, what is not sure about it, and what it forbids, as one line of sentences."""
        doubt = "" if self.licence_seen else " (from memory; see its page at the model hub)"
        return f"Licence: {self.licence}{doubt}. {self.forbids}".rstrip()

    @property
    def facts(self) -> str:
        """Size, terms and note as one line of sentences."""
        return f"{self.size} to download. {self.terms} {self.note}".rstrip()


@dataclass(frozen=True)
class VideoModel(Model):
    """An image-to-video model.

    controls, needs: of CONTROLS in engine/video/family.py, what it has and what it cannot do without.
    role: default, fast, best or "". steps, guidance: its own. few_guidance: with its few-step LoRA; negative = none.
    stable_seconds: how long a clip it makes in one piece.
    folder: of a person's own entry, whose files need no download; else "".
    """

    controls: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    role: str = ""
    steps: int = 0
    guidance: float = 0.0
    few_guidance: float = -1.0
    stable_seconds: float = 0.0
    folder: str = ""


@functools.cache
def catalog() -> dict[str, Model]:
    """id -> depth model, in the order in which they are offered."""
    entries = _read(ENGINE / "depth" / "catalog.toml")
    return {key: Model(**_common(key, one)) for key, one in entries.items()}


@functools.cache
def video_catalog(own: str = "") -> dict[str, VideoModel]:
    """id -> image-to-video model, in the order in which they are offered; those of a person's own file come last.

    own: path of that file, or "". Raises BadModel where it cannot be used.
    """
    found = {key: _video(key, one) for key, one in _read(ENGINE / "video" / "catalog.toml").items()}
    if not own:
        return found
    try:
        return found | {key: _video(key, one) for key, one in _read(Path(own)).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadModel(
            f"Your list of models {Path(own).name} cannot be read: {error}.", "Compare it with docs/models.md."
        ) from error


def _read(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return tomllib.load(file)


def _common(key: str, one: dict[str, Any]) -> dict[str, Any]:
    few = one.get("few_steps", {}).get("megabytes", 0)  # fetched along with it
    return {
        "id": key,
        "name": one["name"],
        "megabytes": one.get("megabytes", 0) + few,
        "licence": one["licence"],
        "note": one.get("note", ""),
        "ask": one.get("ask", False),
        "licence_seen": one.get("licence_seen", False),
        "forbids": one.get("forbids", ""),
    }


def _video(key: str, one: dict[str, Any]) -> VideoModel:
    return VideoModel(
        **_common(key, one),
        kind="video",
        controls=frozenset(one["controls"]),
        needs=frozenset(one.get("needs", ())),
        role=one.get("role", ""),
        steps=one["num_inference_steps"],
        guidance=one["guidance_scale"],
        few_guidance=one.get("few_steps", {}).get("guidance_scale", -1.0),
        stable_seconds=one["frames"].get("stable", one["frames"]["default"]) / one["fps"],
        folder=one.get("folder", ""),
    )


class ModelShelf:
    """All methods return at once, on the main thread; pump() takes in what happened."""

    def __init__(
        self,
        command: Callable[[bool], EngineCommand],
        offline: Callable[[], bool],
        known: Callable[[], dict[str, Model]] = lambda: {**catalog(), **video_catalog()},
    ) -> None:
        """command: the engine, called in a thread with whether it may use the network. offline: asked before that.

        known: every model that there is by name.
        """
        self.downloaded: frozenset[str] | None = None  # ids; None = nobody has looked yet
        self.devices: tuple[str, ...] = ()
        self.error: DioramaError | None = None
        self.asked = False  # whether a panel was drawn that wants to know
        self._offline, self._known = offline, known
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
        model = self._known()[model_id]
        if self._offline():
            raise EngineFailure(
                "Blender is not allowed to go online, so no model can be downloaded.",
                f"Allow online access in Blender's preferences under System. {OFFERS[model.kind]}",
            )
        self._begin(DownloadModel(model_id, accept_licence), f"Downloading {model.name}", online=True)

    def remove(self, model_id: str) -> None:
        """Deletes the files, offline too."""
        self._begin(RemoveModel(model_id), f"Removing {self._known()[model_id].name}")

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
