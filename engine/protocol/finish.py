"""What is done to clips that are there already: time, joins, colours, size.

A clip is finished by plain steps, one after the other; STEPS is their list, for both sides and for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

RETIMES = ("interpolate", "flow", "blend", "hold")
FADES = ("gamma_cross", "cross")
PREVIOUS = "previous"           # a reference: the end of the part before


@dataclass(frozen=True)
class StepKind:
    """What a step of that name does and takes; what it does not take stays at FinishStep's default.

    methods: the first is used where none is given. frames: its least value, None = not taken; default_frames: what is
    offered to a person. amount: default, least, most; None = not taken. reference: whether it takes one.
    """

    description: str
    methods: tuple[str, ...] = ()
    frames: int | None = None
    default_frames: int = 0
    amount: tuple[float, float, float] | None = None
    reference: bool = False


_SHARE = (1.0, 0.0, 1.0)

STEPS: dict[str, StepKind] = {
    # time
    "conform": StepKind("The request's frame rate, the same length in seconds; frames: exactly so many, 0 = rounded",
                        RETIMES, frames=0),
    "retime": StepKind("Exactly that number of frames, slower or faster", RETIMES, frames=1, default_frames=48),
    "reverse": StepKind("Backwards"),
    "ping_pong": StepKind("There and back; 2 n - 2 frames, which repeat without a frame shown twice"),
    "loop": StepKind("The end fades into the beginning; shorter by the fade's frames, repeats without a seam", FADES,
                     frames=1, default_frames=12),
    "freeze_in": StepKind("The first frame stands for so many frames more", frames=1, default_frames=12),
    "freeze_out": StepKind("The last frame stands for so many frames more", frames=1, default_frames=12),
    "meet": StepKind("Begins with the reference's picture; what it differs by fades out over so many frames", frames=1,
                     default_frames=8, reference=True),
    # colour and grain
    "match_colour": StepKind("Colours as in the reference", ("mean", "histogram"), amount=_SHARE, reference=True),
    "match_sharpness": StepKind("As sharp or as soft as the reference", amount=_SHARE, reference=True),
    "match_grain": StepKind("Grain is added up to that of the reference", amount=_SHARE, reference=True),
    "hold_colour": StepKind("No drift: every frame has the mean and the contrast of the reference, or of the first "
                            "frames where there is none", amount=_SHARE, reference=True),
    "deflicker": StepKind("Brightness is smoothed over so many frames: of the whole picture, or of each part of it",
                          ("global", "local"), frames=3, default_frames=13, amount=_SHARE),
    # pixels
    "stabilise": StepKind("The camera stands as in the first frame: borders cropped away, or filled from that frame",
                          ("crop", "fill")),
    "upscale": StepKind("Larger by a network; amount: by how much. reference: folder of an upscaler that transformers "
                        "reads, in place of the one that is installed", ("video", "photo"), amount=(2.0, 2.0, 4.0),
                        reference=True),
    "sharpen": StepKind("Edges are made crisper", amount=(0.5, 0.0, 2.0)),
    "grain": StepKind("Film grain; amount: its deviation in 8-bit levels", amount=(3.0, 0.0, 32.0)),
}


@dataclass(frozen=True)
class FinishStep:
    """One step. name: of STEPS, which tells what the others mean; those that it does not take stay at their default.

    method: "" = the first of its methods. amount: negative = the step's own. reference: a movie, a picture, a folder
    of pictures, PREVIOUS, or "".
    """

    name: str
    method: str = ""
    frames: int = 0
    amount: float = -1.0
    reference: str = ""


@dataclass(frozen=True)
class ClipPart:
    """A clip, or a part of it: frames first .. first + count - 1, counted from 0; count 0 = to its end.

    path: a movie, a picture (one frame, or count times the same), or a folder of pictures in the order of their names.
    steps: done to this part alone, before it is joined. overlap: so many of its first frames are mixed with the last
    ones of the part before; both are that much shorter together.
    """

    path: str
    first: int = 0
    count: int = 0
    overlap: int = 0
    steps: tuple[FinishStep, ...] = ()


@dataclass(frozen=True)
class FinishRequest:
    """Clips become one clip: each part's steps, the join, then the steps of the whole.

    output, fps, clip_format: as in CameraMoveRequest. width, height: of the frames before the steps, which may enlarge
    them; 0 = as the first part. Parts of another size are scaled and cropped to fit, never stretched. fade: of FADES,
    how overlaps are mixed.
    The frames of a part are used one by one whatever its own frame rate is, unless a step conforms it.
    """

    output: str
    parts: tuple[ClipPart, ...]
    fps: tuple[int, int] = (24, 1)
    steps: tuple[FinishStep, ...] = ()
    fade: str = "gamma_cross"
    width: int = 0
    height: int = 0
    clip_format: str = "h264"

    @property
    def frame_rate(self) -> Fraction:
        return Fraction(*self.fps)


@dataclass(frozen=True)
class InspectRequest:
    """What clips are and how they meet, as data; makes no file. Their steps and overlaps are ignored.

    parts: in the order of the timeline. reference: the one that the others' colours are compared with.
    """

    parts: tuple[ClipPart, ...]
    reference: int = 0
