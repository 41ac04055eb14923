"""The table of image-to-video models in docs/models.md, made from engine/video/catalog.toml."""

from __future__ import annotations

import re
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
HEAD = ("model", "licence", "download, GB", "weights, GB; the largest part", "made for", "in one piece", "takes")


def table() -> str:
    """All models as Markdown, in the order in which they are offered."""
    entries = tomllib.loads(CATALOG.read_text(encoding="utf-8"))
    rows = [HEAD, ("---",) * len(HEAD), *(_row(key, entry) for key, entry in entries.items())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def write() -> None:
    """Puts the table into the page. Raises DevError where the page has no place for it."""
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
        f"{entry['width']} x {entry['height']}{' only' if entry.get('fixed_size') else ''}, {entry['fps']} fps",
        f"{stable} frames, {stable / entry['fps']:.1f} s",
        ", ".join(words for control, words in TAKES.items() if control in entry["controls"]),
    )
