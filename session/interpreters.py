"""Finds Python interpreters by running them: a name on the PATH may be a pyenv shim that fails, or a shop window."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .command import clean_environment, no_window

ENGINE_MINORS = (12, 11, 13)  # the versions of Python 3 for which every package in light.txt has wheels
PROBE_SECONDS = 10.0  # a virus scanner may look at a new interpreter for long
PROBE = (
    "import json, sys, importlib.util as u; print(json.dumps("
    "{'python': sys.executable, 'version': sys.version_info[:3],"
    "'usable': sys.implementation.name == 'cpython' and sys.maxsize > 2**32,"
    "'venv': all(u.find_spec(m) for m in ('venv', 'ensurepip'))}))"
)


@dataclass(frozen=True)
class Interpreter:
    """A CPython of 64 bits that runs. can_make_venv: whether `python -m venv` brings pip (Debian splits that off)."""

    path: str
    version: tuple[int, int, int]
    can_make_venv: bool


def find_interpreter(minors: Iterable[int] = ENGINE_MINORS, for_venv: bool = False) -> Interpreter | None:
    """The first interpreter of Python 3.<one of minors>, or None. Runs processes: not on the main thread.

    Looked at: PATH, usual folders that a desktop program lacks on its PATH, pyenv's versions, this process's Python.
    """
    wanted = tuple(minors)
    seen: set[str] = set()
    for candidate in _candidates(wanted):
        real = os.path.realpath(candidate[0]) + " ".join(candidate[1:])
        if real in seen:
            continue
        seen.add(real)
        found = probe(candidate)
        if found and found.version[0] == 3 and found.version[1] in wanted and (found.can_make_venv or not for_venv):
            return found
    return None


def probe(command: list[str]) -> Interpreter | None:
    """Runs a Python and asks who it is; None when it does not run or cannot be used."""
    try:
        answer = subprocess.run(
            [*command, "-I", "-c", PROBE],
            env=clean_environment(),
            capture_output=True,
            timeout=PROBE_SECONDS,
            stdin=subprocess.DEVNULL,
            creationflags=no_window(),
            check=True,
        )
        told = json.loads(answer.stdout)
        major, minor, micro = told["version"]
        return Interpreter(told["python"], (major, minor, micro), told["venv"]) if told["usable"] else None
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None  # broken in whatever way: the next candidate is looked at


def _candidates(minors: tuple[int, ...]) -> Iterator[list[str]]:
    suffix = ".exe" if os.name == "nt" else ""
    names = [*(f"python3.{minor}{suffix}" for minor in minors), f"python3{suffix}", f"python{suffix}"]
    folders = [Path(part) for part in os.environ.get("PATH", "").split(os.pathsep) if part]
    if sys.platform == "darwin":
        folders += [Path("/opt/homebrew/bin"), Path("/usr/local/bin")]
        folders += [Path(f"/Library/Frameworks/Python.framework/Versions/3.{minor}/bin") for minor in minors]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    folders += sorted(pyenv.glob("*")) if os.name == "nt" else sorted(pyenv.glob("*/bin"))
    for folder in folders:
        # Every name of a folder before the next folder: what comes first on the PATH is what the person chose.
        yield from ([str(folder / name)] for name in names if (folder / name).is_file())
    if os.name == "nt":
        yield from (["py", f"-3.{minor}"] for minor in minors)
    if Path(sys.executable).name.lower().startswith("python"):
        yield [sys.executable]
