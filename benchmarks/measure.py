"""What every benchmark shares: a child's time and memory, medians, tables. Standard library only."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Usage:
    """What a child took, its own children included. Seconds, bytes."""

    wall: float
    cpu: float
    peak: int


def run(command: Sequence[object], log: Path, environment: dict[str, str] | None = None) -> Usage:
    """Runs a command in the project's root and waits; its talk goes to `log`. Raises SystemExit with the end of it.

    environment: None = this process's own.
    """
    if not hasattr(os, "wait4"):
        raise SystemExit("CPU seconds and memory of a child are measured with wait4, which this system does not have.")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        started = time.perf_counter()
        child = subprocess.Popen(list(map(str, command)), cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                                 stdout=file, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        end = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise SystemExit(f"status {child.returncode} from {' '.join(map(str, command))}\n{end}")
    unit = 1 if os.uname().sysname == "Darwin" else 1024
    return Usage(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def engine_environment() -> dict[str, str]:
    """As Blender starts the engine: this source tree, no other Python settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def middle(values: Iterable[Usage], of: Callable[[Usage], float]) -> float:
    """The median of one property."""
    return median(map(of, values))


def stages(clip: Path) -> dict[str, float]:
    """Wall seconds of each stage of the job that made this clip, out of its sidecar."""
    return json.loads(Path(f"{clip}.json").read_text(encoding="utf-8"))["seconds"]


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the first column is text, the others are numbers."""
    marks = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, marks, *rows))
