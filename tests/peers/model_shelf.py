"""Answers requests about models like the engine does; a download of "glpn" never ends, one of "zoedepth" fails."""

import os
import time

import speak

from engine.protocol import Alive, Cancel, Cancelled, DownloadModel, Failed, Finished, Progress, RemoveModel, Submit

speak.hello()
here = {"dpt-large"}
while True:
    message = speak.next_message()
    if not isinstance(message, Submit):
        break
    job, request = message.job_id, message.request
    if isinstance(request, DownloadModel):
        speak.say(Progress(job, "download", 40, 99), Alive())
        if request.model == "zoedepth":
            speak.say(Failed(job, "weights_missing", "The hub is out of reach.", "Try again."))
            continue
        if request.model == "glpn":
            time.sleep(0.3)
            assert isinstance(speak.next_message(), Cancel)
            speak.say(Cancelled(job))
            continue
        here.add(request.model)
    if isinstance(request, RemoveModel):
        here.discard(request.model)
    models = [{"id": one, "downloaded": True} for one in sorted(here)] + [{"id": "marigold", "downloaded": False}]
    told = [os.environ.get("HF_HUB_OFFLINE", "-"), "CPU"]
    speak.say(Finished(job, {"models": models, "devices": told, "freed_bytes": 0}))
