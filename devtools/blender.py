"""Starts scripts in Blender's Python module, with a private profile and data folder."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from devtools.environments import clean_environment
from devtools.house import ROOT, DevError

INSIDE = ROOT / "devtools" / "inside"


def private_environment(profile: Path) -> dict[str, str]:
    """A new, empty profile and data folder below `profile`: nobody's own are touched."""
    shutil.rmtree(profile, ignore_errors=True)
    (profile / "blender").mkdir(parents=True)
    return clean_environment() | {
        "BLENDER_USER_RESOURCES": str(profile / "blender"), "XDG_DATA_HOME": str(profile / "data"),
        "LOCALAPPDATA": str(profile / "data"), "PYTHONPATH": str(INSIDE), "PYTHONDONTWRITEBYTECODE": "1"}


def run_inside(python: Path, script: Path, arguments: list[str], folder: Path) -> float:
    """Runs a script there; returns the seconds. Blender's own talk goes to folder/blender.log.

    Raises DevError with the end of that log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "blender.log"
    started = time.monotonic()
    with log.open("wb") as file:
        done = subprocess.run([python, script, *arguments], env=private_environment(folder / "profile"), cwd=folder,
                              stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        end = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-25:])
        raise DevError(f"{script.name} failed in Blender (all of it in {log}):\n{end}")
    return time.monotonic() - started
