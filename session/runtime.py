"""The one queue and the one installer of this Blender: made at register(), closed at unregister().

open_session(...)   in register(): no network, no folder and no process yet
pump()              in the timer
close_session()     in unregister()
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .command import EngineCommand
from .installer import Installer
from .queue import Job, JobQueue

queue: JobQueue
installer: Installer


def open_session(package_folder: Path, engine_folder: Path, offline: Callable[[], bool]) -> None:
    """package_folder: the add-on's own folder, which holds `engine`. offline: whether network use is forbidden now.

    The engine folder may be changed later through installer.folder.
    """
    global queue, installer
    installer = Installer(engine_folder, package_folder / "engine" / "requirements", offline)
    queue = JobQueue(lambda: EngineCommand(installer.require_python(), str(package_folder)))


def close_session() -> None:
    """Ends the engine and a running installation; nothing of ours lives on."""
    installer.close()
    queue.close()


def pump() -> list[Job]:
    """Takes in what happened; returns the jobs that ended since the last call. Never waits."""
    installer.pump()
    return queue.pump()


def busy() -> bool:
    """Whether the timer must look often."""
    return queue.busy or installer.busy


def install_engine() -> None:
    """Installs or updates the engine in a thread; a running engine is stopped first, its jobs are cancelled."""
    queue.stop_engine()
    installer.start()


def repair_engine() -> None:
    """Removes the engine and installs it anew in a thread."""
    queue.stop_engine()
    installer.repair()


def remove_engine() -> None:
    """Deletes the engine folder in a thread."""
    queue.stop_engine()
    installer.remove()
