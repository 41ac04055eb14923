"""The one queue, installer, shelf of models and desk of plans of this Blender: from register() to unregister().

open_session(...)   in register(): no network, no folder and no process yet
configure(...)      when a preference about the engine changes
pump()              in the timer
close_session()     in unregister()
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .command import EngineCommand
from .installer import Installer
from .models import Model, ModelShelf, VideoModel, catalog, video_catalog
from .plans import PlanDesk
from .queue import Job, JobQueue

# The model hub's library tells its makers what it is used for unless it is told not to.
QUIET = {"HF_HUB_DISABLE_TELEMETRY": "1"}
OFFLINE = {**QUIET, "HF_HUB_OFFLINE": "1"}

queue: JobQueue
installer: Installer
models: ModelShelf
plans: PlanDesk

_environment: dict[str, str] = {}  # what the preferences add to every engine's variables
_own_models = ""  # path of a person's own list of image-to-video models
_outdated = False  # whether the engine that runs was started with other variables


def open_session(package_folder: Path, engine_folder: Path, offline: Callable[[], bool]) -> None:
    """package_folder: the add-on's own folder, which holds `engine`. offline: whether network use is forbidden now.

    The engine folder may be changed later through installer.folder.
    """
    global queue, installer, models, plans

    def command(online: bool = False) -> EngineCommand:
        variables = (QUIET if online else OFFLINE) | _environment
        return EngineCommand(installer.require_python(), str(package_folder), variables)

    installer = Installer(engine_folder, package_folder / "engine" / "requirements", offline)
    # No clip needs the network, so the process that makes them may not use it, whatever the person allowed.
    queue = JobQueue(command)
    models = ModelShelf(command, offline, known_models)
    plans = PlanDesk(command)


def configure(warm_seconds: float, models_folder: str, device: str, own_models: str) -> None:
    """What the preferences say about the engine; it begins anew with them as soon as it has nothing to do.

    models_folder: "" = the one that all programs share. device: "" = the best there is, "cpu", or a card's number.
    own_models: path of a person's own list of image-to-video models, or "".
    """
    global _environment, _own_models, _outdated
    chosen = {"DIORAMA_DEVICE": device} if device == "cpu" else {"CUDA_VISIBLE_DEVICES": device}
    wanted = {"HF_HUB_CACHE": models_folder, "DIORAMA_VIDEO_MODELS": own_models, **chosen}
    environment = {name: value for name, value in wanted.items() if value}
    queue.warm_seconds = warm_seconds
    if environment == _environment:
        return
    _environment, _own_models, _outdated = environment, own_models, True
    plans.stop()
    plans.reset()
    models.reset()


def video_models() -> dict[str, VideoModel]:
    """id -> image-to-video model. Raises BadModel where a person's own list cannot be used."""
    return video_catalog(_own_models)


def shipped_video_models() -> dict[str, VideoModel]:
    """As video_models(), without a person's own list."""
    return video_catalog()


def known_models() -> dict[str, Model]:
    """Every model by name, of depth and of video."""
    return {**catalog(), **video_models()}


def close_session() -> None:
    """Ends the engine and a running installation; nothing of ours lives on."""
    installer.close()
    models.close()
    plans.close()
    queue.close()


def pump() -> list[Job]:
    """Takes in what happened; returns the jobs that ended since the last call. Never waits."""
    global _outdated
    if installer.pump():
        models.reset()
        plans.reset()
    if _outdated and not queue.busy:
        queue.stop_engine()
        _outdated = False
    models.pump()
    if queue.busy:
        plans.stop()  # the graphics memory is the job's
    plans.pump()
    if ended := queue.pump():
        plans.reset()  # what is free may be another now
    return ended


def busy() -> bool:
    """Whether the timer must look often."""
    return queue.busy or installer.busy or models.busy or plans.busy


def models_unknown() -> bool:
    """Whether nobody has looked yet which models are downloaded, and the engine that can use them is there to look."""
    return models.downloaded is None and models.error is None and not models.busy and installer.full


def install_engine(size: str = "") -> None:
    """Installs, updates or enlarges the engine in a thread; a running engine is stopped first, its jobs are cancelled.

    size: as in Installer.start.
    """
    _stop_engines()
    installer.start(size)


def repair_engine() -> None:
    """Removes the engine and installs it anew in a thread."""
    _stop_engines()
    installer.repair()


def remove_engine() -> None:
    """Deletes the engine folder in a thread."""
    _stop_engines()
    installer.remove()


def _stop_engines() -> None:
    queue.stop_engine()
    models.stop()
    plans.stop()
