"""Starts and never says anything."""

import time

time.sleep(60)
