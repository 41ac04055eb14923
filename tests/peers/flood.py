"""Greets and then sends progress without end, as fast as it can."""

import speak

from engine.protocol import Progress

speak.hello()
job = speak.next_job()
while True:
    speak.say(*[Progress(job, "render", step, 1000) for step in range(1000)])
