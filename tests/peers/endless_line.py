"""Greets and then sends one line that never ends."""

import sys

import speak

speak.hello()
speak.next_job()
while True:
    sys.stdout.buffer.write(b"x" * 65536)
