"""Brings uv, pinned and hashed, and runs it with the person's own settings."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..engine.errors import InstallFailed
from .child import run_child
from .command import clean_environment, venv_python
from .interpreters import find_interpreter


@dataclass(frozen=True)
class InstallProgress:
    """text: what is being done. done of total: megabytes, or 0 of 0 where there is nothing honest to count."""

    text: str = ""
    done: int = 0
    total: int = 0


Report = Callable[[InstallProgress], None]


def uv_environment(cache: Path | None = None) -> dict[str, str]:
    """uv's environment: the person's own settings stay, and those that they made for pip count where uv has none."""
    own = clean_environment() | {"NO_COLOR": "1", "UV_NO_PROGRESS": "1"}
    # Slow lines share their width among all downloads; uv's own patience of 30 s is too short for them.
    own.setdefault("UV_HTTP_TIMEOUT", "180")
    if cache:
        own["UV_CACHE_DIR"] = str(cache)
    for pip_name, uv_name in (("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), ("PIP_CERT", "SSL_CERT_FILE")):
        if own.get(pip_name) and not own.get("UV_INDEX_URL"):
            own.setdefault(uv_name, own[pip_name])
    return own


def find_links() -> list[str]:
    """The person's own sources of packages for pip, which uv does not read by itself."""
    return os.environ.get("PIP_FIND_LINKS", "").split()


def torch_at_hand(minor: int) -> bool:
    """Whether one of those folders holds a build of torch for Python 3.<minor>; an address is not looked into."""
    folders = [Path(link.removeprefix("file://")) for link in find_links()]
    return any(any(folder.glob(f"torch-*-cp3{minor}-*.whl")) for folder in folders)


def provide_uv(
    tools: Path, pins: Path, report: Report = lambda _: None, cancelled: Callable[[], bool] = lambda: False
) -> Path:
    """uv in a small environment of its own, fetched with pip by its hash; kept for the next time."""
    uv = venv_python(tools / "uv").with_name("uv.exe" if os.name == "nt" else "uv")
    marker = tools / "uv" / "pins.sha256"
    pins_hash = hashlib.sha256(pins.read_bytes()).hexdigest()
    if uv.exists() and marker.exists() and marker.read_text() == pins_hash:
        return uv
    report(InstallProgress("Fetching uv, which installs the packages"))
    helper = find_interpreter(range(9, 20), for_venv=True)
    if helper is None:
        raise InstallFailed(
            "No Python that can make a virtual environment was found.",
            "Install Python 3.11, 3.12 or 3.13 (on Debian and Ubuntu also python3-venv), then try again.",
        )
    tools.mkdir(parents=True, exist_ok=True)
    run_child(
        [helper.path, "-I", "-m", "venv", "--clear", str(tools / "uv")],
        clean_environment(),
        tools,
        "Making a place for uv",
        lambda _: None,
        cancelled,
    )
    run_child(
        [
            str(venv_python(tools / "uv")),
            "-I",
            "-m",
            "pip",
            "install",
            "--require-hashes",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--disable-pip-version-check",
            "-r",
            str(pins),
        ],
        clean_environment(),
        tools,
        "Fetching uv",
        lambda _: None,
        cancelled,
    )
    marker.write_text(pins_hash)
    return uv


def uv_install(
    uv: Path,
    folder: Path,
    environment: dict[str, str],
    arguments: list[str],
    purpose: str,
    report: Report,
    cancelled: Callable[[], bool],
    hashed: bool = True,
) -> None:
    """`uv pip install`, wheels only; reports the megabytes of the packages that have arrived. hashed: required."""
    sizes: dict[str, float] = {}
    arrived: set[str] = set()

    def on_line(line: str) -> None:
        if found := re.match(r"Downloading (\S+) \(([\d.]+)(KiB|MiB|GiB)\)", line):
            sizes[found[1]] = float(found[2]) * {"KiB": 1 / 1024, "MiB": 1, "GiB": 1024}[found[3]]
        elif found := re.match(r"Downloaded (\S+)", line):
            arrived.add(found[1])
        done, total = sum(size for name, size in sizes.items() if name in arrived), sum(sizes.values())
        report(InstallProgress(purpose, round(done), round(total)))

    report(InstallProgress(purpose))
    links = [part for link in find_links() for part in ("--find-links", link)]
    run_child(
        [
            str(uv),
            "pip",
            "install",
            "--python",
            str(venv_python(folder)),
            *(["--require-hashes"] if hashed else []),
            "--only-binary",
            ":all:",
            *links,
            *arguments,
        ],
        environment,
        folder,
        purpose,
        on_line,
        cancelled,
    )
