"""How the engine process is started: which Python, which folder, which environment."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class EngineCommand:
    """python: the engine's own interpreter. package_folder: the folder that holds `engine`.

    environment: variables to set on top of this process's own environment, which is cleaned first.
    """

    python: str
    package_folder: str
    environment: dict[str, str] = field(default_factory=dict[str, str])

    def arguments(self) -> list[str]:
        # -P: without it the current folder of Blender would come before everything else on the engine's sys.path.
        return [self.python, "-P", "-m", "engine", "serve"]

    def variables(self) -> dict[str, str]:
        own = clean_environment()
        own["PYTHONPATH"] = self.package_folder
        own["PYTHONDONTWRITEBYTECODE"] = "1"
        return own | self.environment


def clean_environment() -> dict[str, str]:
    """This process's environment without what would bend another Python (Blender or a shell may have set it)."""
    foreign = ("PYTHON", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(foreign)}


def venv_python(folder: Path) -> Path:
    """The interpreter of the virtual environment in this folder."""
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def venv_minor(folder: Path) -> int:
    """11 for an environment of Python 3.11; 0 where its description does not say."""
    description = (folder / "pyvenv.cfg").read_text(encoding="utf-8")
    found = re.search(r"^version(?:_info)? *= *3\.(\d+)", description, re.MULTILINE)
    return int(found[1]) if found else 0


def no_window() -> int:
    """Popen's creationflags: no console window, and Ctrl-C in Blender's console is not passed on. 0 off Windows."""
    if os.name != "nt":
        return 0
    return 0x08000000 | 0x00000200  # CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP


def below_normal_priority() -> int:
    """Popen's creationflags: Blender's window comes first. 0 off Windows, where the engine lowers itself."""
    return 0x00004000 if os.name == "nt" else 0  # BELOW_NORMAL_PRIORITY_CLASS
