"""Novel views through the shipped command, scored by the evaluation kit: its own sets, and sets that nobody tuned on.

    python benchmarks/second_view.py kit    --kit FOLDER --engine PYTHON --out FOLDER
    python benchmarks/second_view.py unseen --kit FOLDER --engine PYTHON --out FOLDER

Runs in .venvs/eval, which has what the kit needs. The kit calls the engine as any script outside this repository would.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from measure import ROOT, engine_environment, markdown

MASKS = ("all", "visible", "disoccluded", "band")
SIMPLE = ("stretch-mesh", "dilated-mesh", "two-layer")
Mean = dict[str, tuple[float, float]]       # mask -> (PSNR in dB, SSIM)

# Track and group of sets -> mask -> goal of the PSNR.
GOALS = {
    ("exact", "stereo"): {"all": 29.0, "visible": 30.6, "disoccluded": 19.6, "band": 25.3},
    ("exact", "posed"): {"all": 31.7, "disoccluded": 24.2},
    ("soft", "stereo"): {"all": 27.7, "disoccluded": 18.8, "band": 23.0},
}
MORE_THAN_SIMPLE = {"all": 0.4, "disoccluded": 0.8}
REST_GOAL = 45.0


def main() -> None:
    """Writes OUT/second_view.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("which", choices=("kit", "unseen"))
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--engine", required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(asked.kit))
    os.environ |= engine_environment()
    import novel_view  # pyright: ignore[reportMissingImports]  # the kit's

    text = on_kit(asked, novel_view) if asked.which == "kit" else on_unseen(asked, novel_view)
    (asked.out / "second_view.md").write_text(text, encoding="utf-8")


def on_kit(asked: argparse.Namespace, kit: ModuleType) -> str:
    """Our means beside the kit's reference rows."""
    results = scored(asked, kit, asked.kit / "data", "engine", rest=True)
    groups = grouped(asked.kit / "data")
    rows: list[list[str]] = []
    for (track, group), goals in GOALS.items():
        where = f"{track}, {group} ({len(groups[group])})"
        mine = mean_of([results[track][name]["scores"] for name in groups[group]])
        rows.append([f"**{where}: Diorama**", *map(cell, (mine[mask] for mask in MASKS))])
        rows.append([f"{where}: goal", *(f"{goals[mask]:.1f}" if mask in goals else "" for mask in MASKS)])
        references = kit.REFERENCES[track]
        for label in references[groups[group][0]]:
            if all(label in references[name] for name in groups[group]):
                per_set: list[Mapping[str, Any]] = [dict(zip(MASKS, references[name][label], strict=True))
                                                    for name in groups[group]]
                rows.append([f"{where}: {label}", *map(cell, (mean_of(per_set)[mask] for mask in MASKS))])
    rest = ", ".join(f"{name} {results['rest'][name]['scores']['all'][0]:.1f}" for name in results["rest"])
    return (markdown(["PSNR in dB / SSIM", *MASKS], rows)
            + f"\n\nAt rest against the photo, dB: {rest} (goal {REST_GOAL:.0f}; inf = the same picture).\n\n"
            + per_set_table(results))


def on_unseen(asked: argparse.Namespace, kit: ModuleType) -> str:
    """Our means minus the best simple row, on sets made here."""
    data = asked.out / "data"
    if not data.exists():
        subprocess.run([sys.executable, ROOT / "benchmarks" / "unseen.py", data], check=True)
    results = {method: scored(asked, kit, data, method) for method in ("engine", *SIMPLE)}
    names = [name for group in grouped(data).values() for name in group]
    rows: list[list[str]] = []
    for track in ("exact", "soft"):
        means = {method: mean_of([result[track][name]["scores"] for name in names])
                 for method, result in results.items()}
        best = {mask: max(means[method][mask][0] for method in SIMPLE) for mask in MASKS}
        mine = means.pop("engine")
        rows.append([f"**{track}: Diorama**", *map(cell, (mine[mask] for mask in MASKS))])
        rows += [[f"{track}: {method}", *map(cell, (mean[mask] for mask in MASKS))] for method, mean in means.items()]
        rows.append([f"{track}: Diorama over the best of these", *(f"{mine[m][0] - best[m]:+.2f}" for m in MASKS)])
        rows.append([f"{track}: goal", *(f"+{MORE_THAN_SIMPLE[m]}" if m in MORE_THAN_SIMPLE else "" for m in MASKS)])
    return markdown([f"{len(names)} sets, PSNR in dB / SSIM", *MASKS], rows) + "\n\n" + per_set_table(results["engine"])


def scored(asked: argparse.Namespace, kit: ModuleType, data: Path, method: str, rest: bool = False) -> dict[str, Any]:
    """The kit's own results: track -> set -> {scores, seconds, problem}. Its table goes to OUT/METHOD.txt."""
    file = asked.out / f"{method}.json"
    arguments = ["--data", data, "--project", ROOT, "--python", asked.engine, "--method", method, "--json", file,
                 "--save", asked.out / method, "--strict", *(["--rest"] if rest else [])]
    with (asked.out / f"{method}.txt").open("w", encoding="utf-8") as table, contextlib.redirect_stdout(table):
        status = kit.main(list(map(str, arguments)))
    if status:
        raise SystemExit(f"A view could not be rendered:\n{(asked.out / f'{method}.txt').read_text(encoding='utf-8')}")
    return json.loads(file.read_text(encoding="utf-8"))


def grouped(data: Path) -> dict[str, list[str]]:
    """Kind of set -> names."""
    groups: dict[str, list[str]] = {}
    for meta in sorted(data.glob("*/meta.json")):
        facts = json.loads(meta.read_text(encoding="utf-8"))
        groups.setdefault(facts["kind"], []).append(facts["name"])
    return groups


def mean_of(per_set: Sequence[Mapping[str, Any]]) -> Mean:
    """As the kit does it: a mean of the sets' values; sets without such pixels are left out."""
    def mean(mask: str, part: int) -> float:
        values = [scores[mask][part] for scores in per_set if not math.isnan(scores[mask][part])]
        return sum(values) / len(values)

    return {mask: (mean(mask, 0), mean(mask, 1)) for mask in MASKS}


def cell(score: tuple[float, float]) -> str:
    return f"{score[0]:.2f} / {score[1]:.3f}"


def per_set_table(results: dict[str, Any]) -> str:
    rows = [[f"{track}: {name}", *(cell(outcome["scores"][mask]) for mask in MASKS)]
            for track in ("exact", "soft") for name, outcome in results[track].items()]
    return markdown(["Diorama, set by set", *MASKS], rows)


if __name__ == "__main__":
    main()
