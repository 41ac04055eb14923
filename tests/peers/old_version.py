"""Greets as an engine of another time."""

import speak

from engine.protocol import Hello

speak.say(Hello(0, "0.0.1"))
speak.next_message()
