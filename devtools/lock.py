"""Compiles the requirement files anew: X.in beside X.txt, every version exact, every hash named."""

from __future__ import annotations

from pathlib import Path

from devtools.environments import ENVIRONMENTS, find_links, uv
from devtools.house import ENGINE_PINS, PINS, ROOT

# One list for every system, and one version of each package for every Python that we support.
OPTIONS = ("--upgrade", "--universal", "--generate-hashes", "--no-annotate", "--no-header", "--no-emit-find-links",
           "--fork-strategy", "fewest")
WITHOUT_DEPENDENCIES = ("photo", "uv")       # carriers of one file, or one program


def lock() -> None:
    """Writes every X.txt that has an X.in."""
    for source in sorted([*PINS.glob("*.in"), *ENGINE_PINS.glob("*.in")]):
        target = source.with_suffix(".txt")
        python = ENVIRONMENTS[source.stem].python if source.stem in ENVIRONMENTS else "3.11"
        extra = ["--no-deps"] if source.stem in WITHOUT_DEPENDENCIES else []
        if (overrides := source.with_suffix(".override.txt")).exists():
            extra += ["--override", str(overrides)]
        uv("pip", "compile", *OPTIONS, *extra, *find_links(), "--python-version", python, "-o", target, source)
        print(f"[lock] {target.relative_to(ROOT)}: {_count(target)} packages", flush=True)


def _count(path: Path) -> int:
    return sum("==" in line for line in path.read_text(encoding="utf-8").splitlines())
