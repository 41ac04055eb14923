"""The one queue, installer and shelf of models of this Blender: made at register(), closed at unregister().

open_session(...)   in register(): no network, no folder and no process yet
pump()              in the timer
close_session()     in unregister()
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .command import EngineCommand
from .installer import Installer
from .models import ModelShelf
from .queue import Job, JobQueue

# The model hub's library tells its makers what it is used for unless it is told not to.
QUIET = {"HF_HUB_DISABLE_TELEMETRY": "1"}
OFFLINE = {**QUIET, "HF_HUB_OFFLINE": "1"}

queue: JobQueue
installer: Installer
models: ModelShelf


def open_session(package_folder: Path, engine_folder: Path, offline: Callable[[], bool]) -> None:
    """package_folder: the add-on's own folder, which holds `engine`. offline: whether network use is forbidden now.

    The engine folder may be changed later through installer.folder.
    """
    global queue, installer, models
    installer = Installer(engine_folder, package_folder / "engine" / "requirements", offline)
    # No clip needs the network, so the process that makes them may not use it, whatever the person allowed.
    queue = JobQueue(lambda: EngineCommand(installer.require_python(), str(package_folder), OFFLINE))
    models = ModelShelf(
        lambda online: EngineCommand(installer.require_python(), str(package_folder), QUIET if online else OFFLINE),
        offline,
    )


def close_session() -> None:
    """Ends the engine and a running installation; nothing of ours lives on."""
    installer.close()
    models.close()
    queue.close()


def pump() -> list[Job]:
    """Takes in what happened; returns the jobs that ended since the last call. Never waits."""
    if installer.pump():
        models.reset()
    models.pump()
    return queue.pump()


def busy() -> bool:
    """Whether the timer must look often."""
    return queue.busy or installer.busy or models.busy


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
