"""The real engine server with a tiny job in place of engine.jobs: the image's name says how the job behaves."""

import ctypes
import os
import subprocess
import sys
import time
import types
from collections.abc import Callable
from typing import Any

from engine.errors import BadStill, JobCancelled
from engine.protocol import CameraMoveRequest
from engine.server import serve

Report = Callable[[str, int, int], None]


def run_job(job_id: str, request: CameraMoveRequest, report: Report, cancelled: Callable[[], bool]) -> dict[str, Any]:
    def loop(look: bool) -> None:
        for step in range(600):
            report("render", step + 1, 600)
            if look and cancelled():
                raise JobCancelled
            time.sleep(0.05)

    def chatter() -> None:
        print("a library's print")
        sys.stdout.write("half a line")
        os.write(1, b"straight to the descriptor\n")
        ctypes.CDLL(None).puts(b"from C")
        ctypes.CDLL(None).fflush(None)
        subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)

    match request.image:
        case "chatter":
            chatter()
        case "stdin":
            assert sys.stdin.read() == ""
            assert os.read(0, 1) == b""
        case "loop":
            loop(look=True)
        case "deaf":
            loop(look=False)
        case "bad":
            raise BadStill("The file is no picture.", "Choose another.")
        case "bug":
            raise ZeroDivisionError("division by zero")
        case "memory":
            raise MemoryError
        case "exit":
            sys.exit("a library gives up")
        case "missing":
            import no_such_package_anywhere  # type: ignore[import-not-found]  # noqa: F401
        case "not_json":
            return {"clip": {1, 2, 3}}
        case "fast":
            for step in range(20000):
                report("render", step + 1, 20000)
        case _:
            report("load", 1, 1)
    return {"clip": request.output, "job_id": job_id}


jobs = types.ModuleType("engine.jobs")
jobs.run_job = run_job  # type: ignore[attr-defined]
sys.modules["engine.jobs"] = jobs
sys.exit(serve())
