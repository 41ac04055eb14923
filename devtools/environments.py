"""The environments under .venvs/: made by uv from pins with hashes, reused while pins and Python version stay the same.

uv, the search for interpreters and the engine's environment come from the session: what users get is what is tested.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devtools.house import BLENDERS, ENGINE_PINS, PINS, ROOT, VENVS, Blender, DevError, NotHere, addon_side

addon_side()

from diorama.engine.errors import DioramaError  # noqa: E402  # pyright: ignore[reportMissingImports]
from diorama.session import command, engine_folder, installer  # noqa: E402  # pyright: ignore[reportMissingImports]
from diorama.session import uv as uv_program  # noqa: E402  # pyright: ignore[reportMissingImports]
from diorama.session.interpreters import (  # noqa: E402  # pyright: ignore[reportMissingImports]
    ENGINE_MINORS,
    find_interpreter,
)

venv_python: Callable[[Path], Path] = command.venv_python
clean_environment: Callable[[], dict[str, str]] = command.clean_environment

STAMP = "dev-stamp.txt"
ENGINE, ENGINE_FULL = VENVS / "engine", VENVS / "engine-full"
_not_here: dict[str, str] = {}      # environment -> why; to ask the network once is enough


@dataclass(frozen=True)
class Environment:
    """pins: requirement files with hashes; what else lies in the environment is removed."""

    name: str
    python: str
    pins: tuple[Path, ...]

    @property
    def folder(self) -> Path:
        return VENVS / self.name


ENVIRONMENTS = {made.name: made for made in (
    Environment("tools", "3.11", (PINS / "tools.txt",)),
    *(Environment(b.environment, b.python, (PINS / f"{b.environment}.txt",)) for b in BLENDERS),
    # For `dev.py bench`: the evaluation kit with photographs to measure on, and the neighbour we measure beside.
    Environment("eval", "3.11", (PINS / "eval.txt", PINS / "photo.txt")),
    Environment("depthflow", "3.12", (PINS / "depthflow.txt",)),
)}


def ready(name: str) -> Path:
    """The interpreter of this environment, which is made or brought up to its pins first.

    Raises NotHere where no fitting Python is to be had, DevError when the packages cannot be installed.
    """
    wanted = ENVIRONMENTS[name]
    python = venv_python(wanted.folder)

    def make() -> None:
        _make_folder(wanted)
        uv("pip", "sync", "--python", python, "--require-hashes", *wanted.pins)

    _once(name, wanted.folder, _digest(wanted.python, *wanted.pins), make)
    return python


def engine_python() -> Path:
    """The interpreter of .venvs/engine, the light engine: installed by the session's installer, then given pytest."""
    return _engine(ENGINE, installer.LIGHT)


def full_python(asked: bool = False) -> Path:
    """The same of .venvs/engine-full, the full engine.

    asked: a person named it, so torch may be fetched from its own index, gigabytes with a graphics card. Raises NotHere
    without a build of torch at hand otherwise.
    """
    if not (asked or has_full() or any(map(uv_program.torch_at_hand, ENGINE_MINORS))):
        raise NotHere("no build of torch in a folder that PIP_FIND_LINKS names; `dev.py test full` downloads one")
    return _engine(ENGINE_FULL, installer.FULL)


def has_full() -> bool:
    """Whether .venvs/engine-full is there, whole."""
    return engine_folder.read_state(ENGINE_FULL, ENGINE_PINS) is installer.InstallState.installed


def _engine(folder: Path, size: str) -> Path:
    python, tests = venv_python(folder), PINS / "tests.txt"

    def make() -> None:
        if engine_folder.read_state(folder, ENGINE_PINS) is not installer.InstallState.installed:
            shutil.rmtree(folder, ignore_errors=True)       # so that nothing of older pins stays
            try:
                installer.install(folder, ENGINE_PINS, size=size, uv=_uv_path())
            except DioramaError as error:
                raise DevError(str(error)) from error
        uv("pip", "install", "--python", python, "--require-hashes", "-r", tests)

    _once(folder.name, folder, engine_folder.fingerprint(ENGINE_PINS, size) + _digest("", tests), make)
    return python


def newest_blender() -> tuple[Blender, Path]:
    """The newest Blender module that an available Python can run, and that Python. Raises NotHere."""
    reasons: list[str] = []
    for blender in reversed(BLENDERS):
        try:
            return blender, ready(blender.environment)
        except NotHere as error:
            reasons.append(f"Blender {blender.version}: {error}")
    raise NotHere("; ".join(reasons))


def find_links() -> list[str]:
    """pip's own find-links, for uv, which does not read them by itself."""
    return [part for link in uv_program.find_links() for part in ("--find-links", link)]


def uv(*arguments: object) -> None:
    """Runs uv, which is fetched by its hash first. Raises DevError with what it said."""
    done = subprocess.run([_uv_path(), *map(str, arguments)], env=uv_program.uv_environment(), cwd=ROOT, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise DevError(f"uv {' '.join(map(str, arguments[:2]))} failed:\n{done.stdout.strip()}")


def _uv_path() -> Path:
    try:
        return uv_program.provide_uv(VENVS, ENGINE_PINS / "uv.txt")
    except DioramaError as error:
        raise DevError(str(error)) from error


def _make_folder(wanted: Environment) -> None:
    """An environment of the right Python; one that is there is kept, `uv pip sync` takes out what is too much."""
    if wanted.name in _not_here:
        raise NotHere(_not_here[wanted.name])
    found = find_interpreter([int(wanted.python.split(".")[1])])
    config = wanted.folder / "pyvenv.cfg"
    usable = config.exists() and venv_python(wanted.folder).exists()
    if found and usable and f"= {wanted.python}." in config.read_text():
        return
    # Without a Python of ours uv fetches one; where it may not, this machine cannot run that environment.
    python = [found.path] if found else [wanted.python, "--managed-python"]
    try:
        uv("venv", "--clear", "--no-project", "--python", *python, wanted.folder)
    except DevError as error:
        if found:
            raise
        _not_here[wanted.name] = f"no Python {wanted.python} was found on PATH or in pyenv, and uv could not fetch one"
        raise NotHere(_not_here[wanted.name]) from error


def _once(name: str, folder: Path, stamp: str, make: Callable[[], None]) -> None:
    """Calls make() unless the folder was made for this stamp; the stamp is written last."""
    file = folder / STAMP
    if file.exists() and file.read_text() == stamp and venv_python(folder).exists():
        return
    file.unlink(missing_ok=True)
    print(f"[setup] {name}: making the environment ...", flush=True)
    started = time.monotonic()
    make()
    file.write_text(stamp)
    print(f"[setup] {name}: ready after {time.monotonic() - started:.0f} s", flush=True)


def _digest(python: str, *pins: Path) -> str:
    return hashlib.sha256(b"\0".join([python.encode(), *(path.read_bytes() for path in pins)])).hexdigest()
