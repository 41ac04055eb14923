"""A rig's camera for an image-to-video model: poses for one that takes them, a rendered clip for others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadRequest
from ..protocol import GenerateRequest

if TYPE_CHECKING:
    from ..media.still import Still
    from ..video.chain import Chain
    from ..video.load import Found
    from ..video.solve import Framing

Guide = Callable[[int, np.ndarray], dict[str, Any]]     # piece, its first picture -> further fields of its Ask


def camera_guide(
    request: GenerateRequest, found: Found, still: Still, frame: Framing, pieces: Chain, used: int,
    check: Callable[[], None],
) -> Guide:
    """What each piece is told of the camera; nothing where the request has none.

    still: the visible one. used: frames of the model that become the clip. Raises BadRequest, BadStill.
    """
    if not request.views:
        return lambda _number, _picture: {}
    from ..layers import LayeredStill
    from ..video.camera_path import CameraPath, camera_path, controlled, in_picture, views_of

    views = views_of(request.views, request.num_frames, still.width, still.height)
    path = camera_path(views, frame, used, pieces.total, request.conform)
    step = pieces.num_frames - pieces.overlap
    if "camera_path" in found.controls:
        def poses(number: int, _picture: np.ndarray) -> dict[str, Any]:
            part = path.part(number * step, pieces.num_frames)
            return {"cam2world": part.cam2world, "intrinsics": part.lenses}

        return poses
    if not request.folder:
        raise BadRequest(f"{found.model.name} follows a rendered camera and needs the layered still for it.",
                         "Make a rig of this photo first.")
    layered = LayeredStill.load(request.folder)
    lens = layered.intrinsics.resized(still.width / layered.width, still.height / layered.height)

    def rendered(number: int, picture: np.ndarray) -> dict[str, Any]:
        rows = slice(number * step, number * step + pieces.num_frames)
        part = CameraPath(path.cam2world[rows], path.lenses[rows])
        video, mask = controlled(part, request.folder, picture, in_picture(lens, frame), check)
        return {"control_video": video, "control_mask": mask}

    return rendered
