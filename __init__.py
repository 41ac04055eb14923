"""Diorama: stills become moving clips in the Video Sequencer."""

from . import registration


def register() -> None:
    registration.register()


def unregister() -> None:
    registration.unregister()
