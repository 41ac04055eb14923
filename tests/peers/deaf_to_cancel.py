"""Works on for ever, alive and well, whatever is asked of it."""

import time

import speak

from engine.protocol import Alive, Progress

speak.hello()
job = speak.next_job()
for step in range(1000):
    speak.say(Progress(job, "render", step, 1000), Alive())
    time.sleep(0.1)
