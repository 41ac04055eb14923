"""Ends each job twice: first finished, then failed."""

import speak

from engine.protocol import Failed, Finished

speak.hello()
while True:
    job = speak.next_job()
    speak.say(Finished(job, {"clip": job}), Failed(job, "internal_error", "Never mind.", "Nothing to do."))
