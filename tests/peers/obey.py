"""Behaves: greets, lives, reports, cancels, finishes; a job of n frames takes n tenths of a second."""

import queue
import threading
import time

import speak

from engine.protocol import Alive, Cancel, Cancelled, Finished, Message, Progress, Shutdown, Submit

inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()


def listen() -> None:
    while True:
        inbox.put(speak.next_message())


def run(job: str, frames: int) -> None:
    for step in range(frames):
        time.sleep(0.1)
        speak.say(Progress(job, "render", step + 1, frames, 0.1 * (frames - step - 1)), Alive())
        if not inbox.empty() and isinstance(inbox.get(), (Cancel, Shutdown)):
            return speak.say(Cancelled(job))
    return speak.say(Finished(job, {"clip": job}))


speak.hello()
threading.Thread(target=listen, daemon=True).start()
while True:
    try:
        message = inbox.get(timeout=0.4)
    except queue.Empty:
        speak.say(Alive())
        continue
    if isinstance(message, Submit):
        run(message.job_id, message.request.num_frames)
    elif isinstance(message, Shutdown):
        break
