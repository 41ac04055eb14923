"""Draft depth against measured depth, scored by the evaluation kit through the shipped command.

    python benchmarks/draft_depth.py --kit FOLDER --engine PYTHON --out FOLDER

Runs in .venvs/eval.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from measure import ROOT, engine_environment, markdown

COLUMNS = ("AbsRel", "d<1.25", "corr", "edge F")
GOAL = ["goal", "<= 0.130", "", "", ">= 0.30"]


def main() -> None:
    """Writes OUT/draft_depth.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--engine", required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(asked.kit))
    os.environ |= engine_environment()
    import depth_quality  # pyright: ignore[reportMissingImports]  # the kit's

    file = asked.out / "scores.json"
    arguments = ["--project", ROOT, "--python", asked.engine, "--model", "draft", "--json", file, "--strict"]
    with (asked.out / "table.txt").open("w", encoding="utf-8") as table, contextlib.redirect_stdout(table):
        status = depth_quality.main(list(map(str, arguments)))
    if status:
        raise SystemExit("A depth could not be estimated:\n" + (asked.out / "table.txt").read_text(encoding="utf-8"))
    (mine,) = json.loads(file.read_text(encoding="utf-8")).values()
    rows = [["**Diorama, draft: mean**", *mean(list(mine.values()))], GOAL]
    rows += [[f"{label}: mean", *mean([per_set[name] for name in mine])]
             for label, per_set in depth_quality.REFERENCES.items()]
    rows += [[f"Diorama, draft: {name}", *cells(values)] for name, values in mine.items()]
    (asked.out / "draft_depth.md").write_text(markdown(["", *COLUMNS], rows), encoding="utf-8")


def mean(per_set: list[Sequence[float]]) -> list[str]:
    return cells([sum(column) / len(per_set) for column in zip(*per_set, strict=True)])


def cells(values: Sequence[float]) -> list[str]:
    return [f"{value:.3f}" for value in values]


if __name__ == "__main__":
    main()
