"""The main job on a real photo, in real headless Blender, from an empty folder to a film."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from devtools.blender import INSIDE, run_inside
from devtools.environments import ENGINE, engine_python, newest_blender
from devtools.house import DevError
from devtools.package import build
from devtools.photo import default_photo

LEAST_DECIBELS = 40.0


def demo(photo: str, out: str) -> int:
    """photo: a path, or "" for the default. out: folder for the results. Returns the exit status."""
    begun = time.monotonic()
    folder = Path(out).absolute()
    if photo and not Path(photo).is_file():
        raise DevError(f"There is no photo at {photo}.")
    engine, (blender, python) = engine_python(), newest_blender()
    still = Path(photo).absolute() if photo else default_photo()
    package = build()
    stages = {"set up (environments, photo, zip)": time.monotonic() - begun}
    print(f"[demo] {still} in Blender {blender.version} ...", flush=True)
    run_inside(python, INSIDE / "demo_in_blender.py", [str(package), str(ENGINE), str(still), str(folder)], folder)
    told = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    started = time.monotonic()
    sheet = [engine, INSIDE / "contact_sheet.py", folder / "demo.mp4", told["depth"], folder / "demo.png"]
    if subprocess.run(sheet, check=False).returncode:
        raise DevError("The contact sheet could not be made.")
    stages |= told["seconds"] | {"contact sheet": time.monotonic() - started}
    return _tell(told, stages, folder, time.monotonic() - begun)


def _tell(told: dict[str, Any], stages: dict[str, float], folder: Path, total: float) -> int:
    inner = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in told["engine_seconds"].items())
    print(f"\n  clip     {told['clip']}  ({told['frames']} frames, on channel {told['channel']}, "
          f"the still on {told['still_channel']})")
    for name, what in (("demo.blend", "project"), ("demo.mp4", "film"), ("demo.png", "frames")):
        print(f"  {what:7}  {folder / name}")
    print(f"  depth    {told['depth_label']}, {told['depth']}")
    for sentence in told["warnings"]:
        print(f"  note     {sentence}")
    print("\n  seconds  stage")
    for stage, seconds in stages.items():
        print(f"  {seconds:7.1f}  {stage}")
    print(f"  {total:7.1f}  in all; of the engine: {inner}")
    good = told["psnr"] >= LEAST_DECIBELS
    print(f"\n  first frame against the still as Blender's sequencer shows it: {told['psnr']:.1f} dB "
          f"({'at least' if good else 'MISSES'} {LEAST_DECIBELS:.0f})", flush=True)
    return 0 if good else 1
