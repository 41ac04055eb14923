"""Runs a benchmark, prints its table, and on request keeps the table in docs/benchmarks.md."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
from pathlib import Path

from devtools.blender import run_inside
from devtools.environments import ENGINE, engine_python, newest_blender
from devtools.house import BUILD, ROOT, DevError
from devtools.package import build
from devtools.photo import default_photo

PAGE = ROOT / "docs" / "benchmarks.md"
NAMES = ("camera-move",)


def bench(name: str, runs: int, write: bool) -> int:
    """Measures, prints the table; write: also into the marked section of docs/benchmarks.md. Returns the status."""
    if name not in NAMES:
        raise DevError(f"There is no benchmark called '{name}'. Choose from: {', '.join(NAMES)}.")
    engine_python()
    blender, python = newest_blender()
    folder = BUILD / "bench"
    arguments = [str(build()), str(ENGINE), str(default_photo()), str(runs), str(folder)]
    print(f"[bench] {name}: 1 + {runs} runs in Blender {blender.version} ...", flush=True)
    run_inside(python, ROOT / "benchmarks" / "camera_move.py", arguments, folder)
    rows = json.loads((folder / "bench.json").read_text(encoding="utf-8"))
    text = _table(rows)
    print("\n" + text, flush=True)
    if write:
        today = datetime.datetime.now().astimezone().date()
        keep(name, f"{today}, {machine()}, Blender {blender.version}, medians of {runs} runs.\n\n{text}")
        print(f"\n[bench] kept in {PAGE.relative_to(ROOT)}", flush=True)
    return 0


def _table(rows: list[list]) -> str:
    lines = ["| Camera Move, 1920x1080, 4 s at 24 fps | measured | goal |", "|---|---:|---:|"]
    return "\n".join([*lines, *(f"| {what} | {value:.3g} {unit} | {goal} |" for what, value, unit, goal in rows)])


def machine() -> str:
    """What kind of machine this is, without its name."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (found := re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)):
        processor = found[1]
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}"


def keep(name: str, text: str) -> None:
    """Replaces the section between the two marks of this benchmark, or appends one."""
    begin, end = f"<!-- bench {name} -->", f"<!-- /bench {name} -->"
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Benchmarks\n"
    section = f"{begin}\n{text}\n{end}"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    page = pattern.sub(lambda _: section, page) if begin in page else f"{page}\n## {name}\n\n{section}\n"
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page, encoding="utf-8")
