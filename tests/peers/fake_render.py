"""A Blender that renders in background, or does not: `fake_render.py HOW TASK.json`."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

how, task = sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
folder = Path(task["folder"])


def say(**message: Any) -> None:
    print("DIORAMA " + json.dumps(message), flush=True)


def done(names: list[str]) -> None:
    say(type="done", result={"names": names, "num_frames": len(names), "width": 8, "height": 8})


def render(last: int = 3) -> list[str]:
    names: list[str] = []
    for number in range(1, last + 1):
        name = f"frame_{number:04}.png"
        if not (folder / name).exists():
            (folder / name).write_text(f"picture by {how}")
        names.append(name)
        say(type="progress", stage="render", done=number, total=3)
    return names


if how == "silent":
    time.sleep(60)
print("Fra:1 Mem:12.00M | Time:00:00.10 | chatter of Blender's own", flush=True)
if how == "crash_at_once":
    sys.exit("the graphics card caught fire")
if how == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if how in ("slow", "deaf"):
    say(type="progress", stage="render", done=1, total=3)
    time.sleep(60)
if how == "crash_half_way":
    render(2)
    sys.exit(7)
if how == "refuse":
    say(type="failed", message="The scene has no camera.", remedy="Add one.")
    sys.exit(1)
if how == "lie":
    done(["frame_0001.png"])
    sys.exit(0)
if how == "garbage":
    sys.stdout.buffer.write(b'DIORAMA {half\nDIORAMA []\nDIORAMA {"type": "done"}\n' + bytes(range(256)) * 50 + b"\n")
    sys.stdout.flush()
if how == "flood":
    for number in range(20_000):
        say(type="progress", stage="render", done=number % 3, total=3)
done(render())
if how == "two_endings":
    say(type="failed", message="No.", remedy="No.")
if how == "finish_then_crash":
    sys.exit(9)
if how == "will_not_go":
    time.sleep(60)
