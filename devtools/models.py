"""The table of image-to-video models in docs/models.md, made from engine/video/catalog.toml."""

from __future__ import annotations

import re
import subprocess
import tomllib
from typing import Any

from devtools.house import ROOT, DevError

CATALOG = ROOT / "engine" / "video" / "catalog.toml"
PAGE = ROOT / "docs" / "models.md"
BEGIN, END = "<!-- models -->", "<!-- /models -->"
BYTES = {"float32": 4}          # all others have 2
TAKES = {
    "prompt": "words", "negative_prompt": "unwanted words", "motion": "motion", "last_image": "last still",
    "previous_clip": "a clip to go on from", "camera_path": "camera path", "control_video": "camera through a render",
    "sound": "makes sound", "loras": "LoRAs",
}  # fmt: skip
HEAD = ("model", "licence", "download, GB", "weights, GB; the largest part", "planned peak, GB", "others say, GB",
        "made for", "in one piece", "takes")
PEAKS = (("full", False), ("model_offload", False), ("group_offload", True))       # mode, in a tight place


def table() -> str:
    """All models as Markdown, in the order in which they are offered."""
    entries = tomllib.loads(CATALOG.read_text(encoding="utf-8"))
    rows = [HEAD, ("---",) * len(HEAD), *(_row(key, entry) for key, entry in entries.items())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def write() -> None:
    """Puts the table into the page, in the engine's environment, whose plan it tells. Raises DevError."""
    from devtools.environments import engine_python

    code = "from devtools.models import write_here; write_here()"
    if subprocess.run([engine_python(), "-c", code], cwd=ROOT, check=False).returncode:
        raise DevError("The table could not be made; why stands above.")


def write_here() -> None:
    """The same by this interpreter. Raises DevError where the page has no place for the table."""
    page = PAGE.read_text(encoding="utf-8")
    if BEGIN not in page or END not in page:
        raise DevError(f"{PAGE.name} has lost the marks {BEGIN} and {END}.")
    between = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    PAGE.write_text(between.sub(lambda _: f"{BEGIN}\n{table()}\n{END}", page), encoding="utf-8")


def _row(key: str, entry: dict[str, Any]) -> tuple[str, ...]:
    weights = {part: billions * BYTES.get(entry.get("dtypes", {}).get(part, ""), 2)
               for part, billions in entry["parameters"].items()}
    role = f" ({entry['role']})" if entry.get("role") else ""
    licence = entry["licence"] + ("" if entry.get("licence_seen") else " (not seen)")
    frames = entry["frames"]
    stable = frames.get("stable", frames["default"])
    return (
        f"`{key}`{role}: {entry['name']}",
        f"{licence}. {entry.get('forbids', '')}".strip(),
        f"{entry.get('megabytes', 0) / 1000:.0f}{'' if entry.get('megabytes_seen') else ' ?'}",
        f"{sum(weights.values()):.0f}; {max(weights.values()):.0f}",
        "; ".join(f"{_peak(key, *mode):.0f}" for mode in PEAKS),
        "; ".join(f"{figure['mode']} {figure['gigabytes']} ({figure['source']})" for figure in entry.get("memory", ())),
        f"{entry['width']} x {entry['height']}{' only' if entry.get('fixed_size') else ''}, {entry['fps']} fps",
        f"{stable} frames, {stable / entry['fps']:.1f} s",
        ", ".join(words for control, words in TAKES.items() if control in entry["controls"]),
    )


def _peak(key: str, mode: str, tight: bool) -> float:
    """Gigabytes on the card, as planned at the model's own size and length. tight: with the VAE in tiles."""
    from engine.video.catalog import catalog
    from engine.video.families import FAMILIES
    from engine.video.plan import GIGABYTE, Machine, Size, plan

    model = catalog()[key]
    plenty = int(1e15)
    machine = Machine("cuda", "", 0 if tight else plenty, plenty, plenty, plenty, 1e14)
    denoisers = [part for part in FAMILIES[model.family].denoisers if part in model.parameters]
    size = Size(model.width, model.height, model.frames.default, model.num_inference_steps)
    made = plan(model, denoisers, size, machine, mode, "best")
    return made.mode.gpu / GIGABYTE
