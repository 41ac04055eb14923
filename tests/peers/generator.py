"""Makes clips like an engine with an image-to-video model: pictures of one colour, the seed's; a preview, a plan.

A prompt with "sound" gets one, one with "fail" fails, one with "slow" takes until it is cancelled.
"""

import dataclasses
import queue
import struct
import threading
import time
import wave
import zlib
from pathlib import Path

import numpy as np
import speak

from engine.protocol import (
    Alive,
    Cancel,
    Cancelled,
    Failed,
    Finished,
    GenerateRequest,
    Message,
    PlanRequest,
    Progress,
    Shutdown,
    Submit,
)

WIDTH, HEIGHT, STEPS = 64, 36, 4
CONTROLS = ["prompt", "negative_prompt", "num_inference_steps", "guidance_scale", "motion", "last_image", "size"]
inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()


def listen() -> None:
    while True:
        inbox.put(speak.next_message())


def png(path: Path, colour: tuple[int, int, int]) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes(colour) * WIDTH) * HEIGHT
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    whole = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + whole)


def sound(path: Path, seconds: float) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\x10" * int(8000 * seconds))


def generate(job: str, request: GenerateRequest) -> Message:
    folder, made = Path(request.output), request.generate
    preview, step = folder.parent / f"{job}.npy", 0
    folder.parent.mkdir(parents=True, exist_ok=True)
    while step < STEPS or "slow" in made.prompt:
        time.sleep(0.02)
        step += 1
        preview.unlink(missing_ok=True)
        preview = preview.with_name(f"{job}_{step}.npy")
        np.save(preview, np.full((2, HEIGHT, WIDTH, 3), 40 * min(step, 5), np.uint8))
        speak.say(Progress(job, "denoise", min(step, STEPS), STEPS, 3.0, str(preview)), Alive())
        if not inbox.empty() and isinstance(inbox.get(), (Cancel, Shutdown)):
            preview.unlink()
            return Cancelled(job)
    preview.unlink()
    if "fail" in made.prompt:
        return Failed(job, "out_of_memory", "There is not enough memory.", "Choose a smaller size.")
    folder.mkdir()
    files = [folder / f"{number:04}.png" for number in range(1, request.num_frames + 1)]
    for file in files:
        png(file, (made.seed % 251, 90, 30))
    result = {
        "clip": str(folder), "files": [str(file) for file in files], "num_frames": request.num_frames,
        "fps": list(request.fps), "width": WIDTH, "height": HEIGHT, "rect": [0, 0, request.frame_width,
        request.frame_height], "still_size": [request.frame_width, request.frame_height], "model": made.model,
        "seed": made.seed, "settings": dataclasses.asdict(request) | {"width": WIDTH, "height": HEIGHT}, "warnings": [],
    }  # fmt: skip
    if "sound" in made.prompt:
        result["sound"] = f"{folder}.wav"
        result["files"].append(result["sound"])
        sound(Path(result["sound"]), request.num_frames / 24)
    return Finished(job, result)


def plan(job: str, request: PlanRequest) -> Message:
    mode = {"name": "model_offload", "gpu": 14.2, "main": 30.0, "seconds": 95.0, "tiling": False, "able": True,
            "fits": True, "note": ""}  # fmt: skip
    return Finished(job, {
        "modes": [mode], "chosen": "model_offload", "dtype": "bfloat16", "speed": "best", "trades": "",
        "num_inference_steps": 50, "guidance_scale": 5.0, "warnings": ["A warning of the plan."], "model": "Peer",
        "family": "wan", "downloaded": True, "device": "Card of the Peer", "gpu_free": 22.0, "main_free": 60.0,
        "width": 832, "height": 480, "num_frames": request.num_frames + 1, "fps": 24, "stable_seconds": 5.0,
        "controls": CONTROLS, "needs": [], "documented": [],
    })  # fmt: skip


speak.hello()
threading.Thread(target=listen, daemon=True).start()
while True:
    try:
        message = inbox.get(timeout=0.4)
    except queue.Empty:
        speak.say(Alive())
        continue
    if isinstance(message, Submit) and isinstance(message.request, GenerateRequest):
        speak.say(generate(message.job_id, message.request))
    elif isinstance(message, Submit) and isinstance(message.request, PlanRequest):
        speak.say(plan(message.job_id, message.request))
    elif isinstance(message, Shutdown):
        break
