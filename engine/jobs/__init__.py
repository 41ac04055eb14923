"""The jobs of the engine, one module a kind. Called by the server and by the command line alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..protocol import (
    BridgeRequest,
    CameraMoveRequest,
    DownloadModel,
    FinishRequest,
    GenerateRequest,
    InspectRequest,
    LayersRequest,
    ListModels,
    PathRequest,
    PlanRequest,
    RemoveModel,
    Request,
)
from .bridge import bridge
from .camera_move import camera_move
from .finish import finish
from .generate import generate
from .inspect import inspect
from .layers import layers
from .models import models
from .path import path
from .plan import plan
from .stages import Report, Stages
from .still import over_black, scene_disparity

__all__ = ["Report", "over_black", "run_job", "scene_disparity"]


def run_job(job_id: str, request: Request, report: Report, cancelled: Callable[[], bool]) -> dict[str, Any]:
    """Does what the request asks for; the results are described in docs/protocol.md.

    report: called with stage, done, total. cancelled: asked between any two steps. Raises a DioramaError or
    JobCancelled; nothing with the final name is left behind then.
    """
    stages = Stages(report, cancelled)
    match request:
        case CameraMoveRequest():
            return camera_move(job_id, request, stages)
        case LayersRequest():
            return layers(job_id, request, stages)
        case PathRequest():
            return path(job_id, request, stages)
        case GenerateRequest():
            return generate(job_id, request, stages)
        case PlanRequest():
            return plan(request, stages)
        case ListModels() | DownloadModel() | RemoveModel():
            return models(request, stages)
        case FinishRequest():
            return finish(job_id, request, stages)
        case InspectRequest():
            return inspect(request, stages)
        case BridgeRequest():
            return bridge(job_id, request, stages)
