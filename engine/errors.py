"""Every error that a person can see, on both sides of the pipe. Standard library only.

    DioramaError
    ├── BadInput               the person can mend it             exit status 3
    │   ├── BadStill           missing, broken, too large, or not a still
    │   ├── BadDepth           a depth picture or array that cannot be used
    │   ├── BadModel           no such model, a folder that holds none, damaged or missing files
    │   ├── BadClip            a movie that is missing, broken, or shows nothing
    │   ├── BadRequest         a setting outside its range, an unknown name
    │   └── BadSelection       (Blender) nothing usable is selected, no free channel, locked or muted
    └── EngineFailure          the machine could not do it         exit status 4
        ├── OutputFailed       read-only folder, full disk, encoder trouble
        ├── WeightsMissing     a network's file is not installed or not the pinned one
        ├── OutOfMemory        main or graphics memory ran out
        ├── NoPicture          a model gave NaN, black or frozen frames
        ├── EngineMissing      (session) the engine is not installed, or not completely
        ├── EngineDied         (session) the child ended without a last message
        ├── EngineHung         (session) the child no longer answers
        ├── EngineMismatch     (session) the child speaks another version
        ├── InstallFailed      (session) the installer could not finish
        └── InternalError      a fault of ours; the message says where

    JobCancelled               the person asked for it: not an error, exit status 130

Each has one plain sentence that says what is wrong, and a remedy that says what to do.
"""

from __future__ import annotations


class DioramaError(Exception):
    """Base of all errors shown to a person.

    message: one plain sentence on what is wrong. remedy: one plain sentence on what to do.
    """

    kind = "error"
    exit_status = 4

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message} {remedy}")
        self.message = message
        self.remedy = remedy


class BadInput(DioramaError):
    kind = "bad_input"
    exit_status = 3


class BadStill(BadInput):
    kind = "bad_still"


class BadDepth(BadInput):
    kind = "bad_depth"


class BadModel(BadInput):
    kind = "bad_model"


class BadClip(BadInput):
    kind = "bad_clip"


class BadRequest(BadInput):
    kind = "bad_request"


class BadSelection(BadInput):
    kind = "bad_selection"


class EngineFailure(DioramaError):
    kind = "engine_failure"


class OutputFailed(EngineFailure):
    kind = "output_failed"


class WeightsMissing(EngineFailure):
    kind = "weights_missing"


class OutOfMemory(EngineFailure):
    kind = "out_of_memory"


class NoPicture(EngineFailure):
    kind = "no_picture"


class EngineMissing(EngineFailure):
    kind = "engine_missing"


class EngineDied(EngineFailure):
    kind = "engine_died"


class EngineHung(EngineFailure):
    kind = "engine_hung"


class EngineMismatch(EngineFailure):
    kind = "engine_mismatch"


class InstallFailed(EngineFailure):
    kind = "install_failed"


class InternalError(EngineFailure):
    kind = "internal_error"


class JobCancelled(Exception):
    """Raised inside a job when the person cancelled it."""
