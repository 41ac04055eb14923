"""Greets, begins the job, writes to stderr and ends without a last message."""

import sys

import speak

from engine.protocol import Progress

speak.hello()
job = speak.next_job()
speak.say(Progress(job, "render", 3, 10))
sys.exit("libgomp: Thread creation failed")
