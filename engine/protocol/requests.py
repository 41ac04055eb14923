"""What a job needs, all of it: one frozen dataclass a kind of job. Nothing else is read later."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from .finish import FinishRequest, InspectRequest
from .generate import GenerateRequest, PlanRequest

CLIP_FORMATS = ("h264", "prores", "ffv1", "png")
PASSES = ("colour", "depth", "mattes", "disocclusion")
BRIDGES = ("push_through", "dissolve")
VIEW_NUMBERS = 20              # world2cam row by row, fx, fy, cx, cy
MAX_PATH_FRAMES = 20_000       # of a PathRequest: its cameras must fit into one line


@dataclass(frozen=True)
class DepthSettings:
    """Where depth comes from and how it is shaped.

    model: "draft", a catalog id, or a folder. picture: path of a depth picture or .npy that replaces the model, or "".
    near_is_bright: how to read that picture. near, far: the levels of relative disparity (0 = farthest, 1 = nearest)
    that become nearest and farthest; gamma > 1 pushes the middle away from the camera. invert: near becomes far,
    before the levels. correction: path of a paint-over in the aspect of the visible still, or "": where it is opaque
    its grey level (near = bright) replaces all of this.
    """

    model: str = "draft"
    picture: str = ""
    near_is_bright: bool = True
    near: float = 1.0
    far: float = 0.0
    gamma: float = 1.0
    invert: bool = False
    correction: str = ""


@dataclass(frozen=True)
class MoveSettings:
    """A camera move.

    name, easing, cycle: see engine/camera/moves.py, as is what amount is a share of. pivot: relative disparity
    (0 far, 1 near) of the plane that keeps its place; negative = chosen from the picture. pivot_point: x from the left,
    y from the top, as shares of the still as it was given; where not negative, the plane is the one at this point.
    crop_from, crop_to: x, y, width, height as shares of the frame, for the move "crop" only. seed: for "handheld".
    """

    name: str = "push_in"
    amount: float = 0.1
    easing: str = "ease_in_out"
    cycle: str = "once"
    pivot: float = -1.0
    crop_from: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    crop_to: tuple[float, float, float, float] = (0.1, 0.1, 0.8, 0.8)
    seed: int = 0
    pivot_point: tuple[float, float] = (-1.0, -1.0)


@dataclass(frozen=True)
class LensSettings:
    """What a real lens adds to the move.

    f_stop: as of a Blender camera; 0 = everything is sharp. focus: relative disparity (0 far, 1 near) of the plane in
    focus; negative = the pivot. focus_point: as pivot_point; where not negative, what is at this point is in focus.
    vignette: 0 = none .. 1 = the fall-off of a very wide lens.
    """

    f_stop: float = 0.0
    focus: float = -1.0
    focus_point: tuple[float, float] = (-1.0, -1.0)
    vignette: float = 0.0


@dataclass(frozen=True)
class CameraMoveRequest:
    """A still becomes a clip.

    image: path of the still. output: path of the movie, or of the folder for a "png" sequence. fps: numerator,
    denominator. width, height: of the clip in pixels; 0 = as the still.
    visible_only: the still is a captured frame with transparent surroundings; the clip shows the part that is not
    transparent and the result says where in the frame that part lies.
    frame_width, frame_height: size of the project's frame that a captured still shows, pixels; 0 = the still's own.
    intrinsics: fx, fy, cx, cy of the still's camera, pixels of the still; () = from the depth model or the photo.
    z_picture: path of an EXR or .npy with the exact z of every pixel, scene units, which replaces depth; "" = none.
    fill: path of an inpainting network (.onnx, or a pipeline's folder) that paints what the photo hides; "" = our own.
    """

    image: str
    output: str
    num_frames: int
    fps: tuple[int, int] = (24, 1)
    width: int = 0
    height: int = 0
    clip_format: str = "h264"
    move: MoveSettings = field(default_factory=MoveSettings)
    depth: DepthSettings = field(default_factory=DepthSettings)
    visible_only: bool = False
    frame_width: int = 0
    frame_height: int = 0
    intrinsics: tuple[float, ...] = ()
    z_picture: str = ""
    lens: LensSettings = field(default_factory=LensSettings)
    fill: str = ""

    @property
    def frame_rate(self) -> Fraction:
        return Fraction(*self.fps)


@dataclass(frozen=True)
class LayersRequest:
    """A still becomes a layered still on disk, for the rig.

    image, depth, visible_only, frame_width, frame_height, intrinsics, z_picture, fill: as in CameraMoveRequest.
    output: the folder to be made; one that is there is replaced as a whole. pivot: relative disparity (0 far, 1 near)
    of the plane that a rig turns around; negative = chosen from the picture. pivot_point: as in MoveSettings.
    max_width, max_height: the still is reduced to fit into this, pixels; 0 = not reduced.
    """

    image: str
    output: str
    depth: DepthSettings = field(default_factory=DepthSettings)
    visible_only: bool = False
    frame_width: int = 0
    frame_height: int = 0
    pivot: float = -1.0
    max_width: int = 0
    max_height: int = 0
    intrinsics: tuple[float, ...] = ()
    z_picture: str = ""
    pivot_point: tuple[float, float] = (-1.0, -1.0)
    fill: str = ""


@dataclass(frozen=True)
class PathRequest:
    """A layered still and a camera for each frame become a clip.

    folder: of the layered still. output: path of the movie, or of the folder for a "png" sequence; the passes other
    than "colour" go beside it, under its name with "_depth" and the like. views: one a frame, VIEW_NUMBERS numbers
    each: world2cam, 4 x 4 row by row (OpenCV axes, the still's camera is the identity), then fx, fy, cx, cy in pixels
    of the clip. passes: of PASSES, in any order.
    """

    folder: str
    output: str
    views: tuple[tuple[float, ...], ...]
    width: int
    height: int
    fps: tuple[int, int] = (24, 1)
    clip_format: str = "h264"
    passes: tuple[str, ...] = ("colour",)

    @property
    def frame_rate(self) -> Fraction:
        return Fraction(*self.fps)


@dataclass(frozen=True)
class BridgeRequest:
    """A way from one still into the next without a model: the first frame shows the one, the last the other, exactly.

    image, last_image, output, num_frames, fps, width, height, clip_format, visible_only, frame_width, frame_height: as
    in GenerateRequest. method: of BRIDGES. amount: 0..1, how far the camera travels. depth: for both stills.
    """

    image: str
    last_image: str
    output: str
    num_frames: int
    method: str = "push_through"
    amount: float = 0.4
    fps: tuple[int, int] = (24, 1)
    width: int = 0
    height: int = 0
    clip_format: str = "h264"
    depth: DepthSettings = field(default_factory=DepthSettings)
    visible_only: bool = False
    frame_width: int = 0
    frame_height: int = 0

    @property
    def frame_rate(self) -> Fraction:
        return Fraction(*self.fps)


@dataclass(frozen=True)
class ListModels:
    """Which models there are by name, of depth and of video, and which of them lie on this machine. Uses no network."""


@dataclass(frozen=True)
class DownloadModel:
    """Fetch a model's files. model: its catalog id. accept_licence: the person has read and accepted it."""

    model: str
    accept_licence: bool = False


@dataclass(frozen=True)
class RemoveModel:
    """Delete a model's files from this machine. model: its catalog id."""

    model: str


Request = (
    CameraMoveRequest | LayersRequest | PathRequest | ListModels | DownloadModel | RemoveModel
    | FinishRequest | InspectRequest | BridgeRequest | GenerateRequest | PlanRequest
)
