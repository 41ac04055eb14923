"""Greets, begins the job and falls silent, heartbeat included."""

import time

import speak

from engine.protocol import Progress

speak.hello()
speak.say(Progress(speak.next_job(), "render", 1, 10))
time.sleep(60)
