"""Messages cross the pipe unchanged, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from diorama.engine import protocol as other_side
from engine import protocol
from engine.protocol import (
    Alive,
    BridgeRequest,
    CameraMoveRequest,
    Cancel,
    Cancelled,
    ClipPart,
    DepthSettings,
    DownloadModel,
    Failed,
    Finished,
    FinishRequest,
    FinishStep,
    Hello,
    InspectRequest,
    ListModels,
    MalformedMessage,
    Message,
    MoveSettings,
    Progress,
    RemoveModel,
    Shutdown,
    Submit,
)

REQUEST = CameraMoveRequest(
    "Ä photo\nwith 'quotes'.jpg",
    "clip.mov",
    96,
    (24000, 1001),
    1920,
    1080,
    "prores",
    MoveSettings("crop", 0.2, crop_from=(0.0, 0.1, 0.5, 0.5), seed=7),
    DepthSettings(picture="d.exr", gamma=1.5),
    visible_only=True,
)
MESSAGES: list[Message] = [
    Submit("1", REQUEST),
    Submit("1", ListModels()),
    Submit("1", DownloadModel("depth-pro", accept_licence=True)),
    Submit("1", RemoveModel("depth-pro")),
    Submit("1", FinishRequest("b.mp4", (
        ClipPart("a.mp4", 3, 20, steps=(FinishStep("conform", "flow"), FinishStep("reverse"))),
        ClipPart("c.png", overlap=4),
    ), steps=(FinishStep("loop", frames=8), FinishStep("match_colour", "mean", amount=0.5, reference="d.png")))),
    Submit("1", InspectRequest((ClipPart("a.mp4"), ClipPart("b.mp4")), 1)),
    Submit("1", BridgeRequest("a.png", "b.png", "c.mp4", 24)),
    Cancel("1"),
    Shutdown(),
    Hello(1, "0.1.0", ("cpu", "cuda:0 A card"), 8 << 30),
    Alive(),
    Progress("1", "render", 3, 96, 12.5),
    Finished("1", {"files": ["a.png"], "fps": [24, 1]}),
    Cancelled("1"),
    Failed("1", "bad_still", "It is broken.", "Choose another."),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_survives_the_pipe(message: Message) -> None:
    line = protocol.encode(message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert protocol.decode(line) == message


def test_the_longest_sequence_fits_into_a_line() -> None:
    files = [f"/home/somebody/projects/a film/clips/photo 12 camera move/frame_{n:04}.png" for n in range(100_000)]
    assert len(protocol.encode(Finished("1", {"files": files}))) < protocol.MAX_LINE_BYTES


def test_both_sides_understand_each_other_under_their_own_package_names() -> None:
    theirs = other_side.decode(protocol.encode(Submit("1", REQUEST)))
    assert type(theirs) is other_side.Submit
    assert type(theirs) is not Submit
    assert other_side.encode(theirs) == protocol.encode(Submit("1", REQUEST))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"hello",
        b"[]",
        b"{}",
        b"null",
        b"3",
        b'"Alive"',
        b'{"type": "Unknown"}',
        b'{"type": ["Alive"]}',
        b'{"type": "Cancel"}',
        b'{"type": "Cancel", "job_id": 3}',
        b'{"type": "Cancel", "job_id": "1", "more": 1}',
        b'{"type": "Progress", "job_id": "1"}',
        b'{"type": "Submit", "job_id": "1", "request": {}}',
        b'{"type": "Submit", "job_id": "1", "request": []}',
        b'{"type": "Submit", "job_id": "1", "request": {"type": "Other"}}',
        b'{"type": "Progress", "job_id": "1", "stage": "render", "done": 1.5, "total": 2}',
        b'{"type": "Submit", "job_id": "1", "request": {"type": "InspectRequest", "parts": ["a.mp4"]}}',
        b'{"type": "Submit", "job_id": "1", "request": {"type": "InspectRequest", "parts": [{"path": 3}]}}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"type": "Alive"',
        b'{"type": "Hello", "protocol_version": true, "engine_version": "1"}',
    ],
)
def test_anything_else_is_malformed(line: bytes) -> None:
    with pytest.raises(MalformedMessage):
        protocol.decode(line)


def test_a_request_without_optional_fields_gets_the_defaults() -> None:
    request = protocol.request_from_dict(
        {"image": "a.png", "output": "b.mp4", "num_frames": 5, "move": {"name": "orbit"}}
    )
    assert request == CameraMoveRequest("a.png", "b.mp4", 5, move=MoveSettings("orbit"))
