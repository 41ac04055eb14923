"""Sends bytes that are no text instead of a greeting."""

import sys
import time

sys.stdout.buffer.write(bytes(range(256)) * 10 + b"\n")
sys.stdout.buffer.flush()
time.sleep(60)
