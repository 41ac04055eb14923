"""Runs a helper program of the installer: its lines as they come, its end, its cancellation."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from ..engine.errors import InstallFailed, JobCancelled
from .command import no_window

KEPT_LINES = 40


def run_child(
    arguments: list[str],
    environment: dict[str, str],
    folder: Path,
    purpose: str,
    on_line: Callable[[str], None],
    cancelled: Callable[[], bool],
) -> None:
    """Runs a program in `folder` to its end. purpose: what it does, for the sentence when it fails.

    Raises InstallFailed when it fails or cannot be started, JobCancelled (the program is killed) when cancelled.
    """
    remedy = "Check the network connection and try again; what is downloaded already is kept."
    try:
        process = subprocess.Popen(
            arguments,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            creationflags=no_window(),
            start_new_session=os.name != "nt",
        )
    except OSError as error:
        raise InstallFailed(f"{purpose} failed: {error}.", remedy) from error
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(name="diorama-install-reader", target=_read_lines, args=(process, lines), daemon=True).start()
    kept: deque[str] = deque(maxlen=KEPT_LINES)
    while True:
        if cancelled():
            _kill(process)
            raise JobCancelled
        try:
            line = lines.get(timeout=0.1)
        except queue.Empty:
            continue
        if line is None:
            break
        if line:
            kept.append(line)
            on_line(line)
    if process.wait() != 0:
        raise InstallFailed(f"{purpose} failed: {_reason(kept)}", remedy)


def _read_lines(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[str | None]) -> None:
    assert process.stdout
    with process.stdout as stream:
        while line := stream.readline(4096):
            lines.put(line.decode("utf-8", "replace").strip())
    lines.put(None)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if os.name == "nt":
        process.kill()
    else:
        # The whole group: `python -m venv` runs pip as a child of its own.
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _reason(lines: deque[str]) -> str:
    """What the program said was wrong, in at most a few hundred characters."""
    told = list(lines)
    for index, line in enumerate(told):
        if line.lower().startswith(("error", "×")):
            told = told[index:]
            break
    else:
        told = told[-3:]
    text = " ".join(line.lstrip("×├─▶╰│ ") for line in told).strip() or "it said nothing"
    return text[:400].rstrip(".") + "."
