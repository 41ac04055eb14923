"""Jobs around the models themselves: list, download, remove."""

from __future__ import annotations

from typing import Any

from ..errors import BadRequest
from ..protocol import DownloadModel, ListModels, RemoveModel
from .stages import Stages

MEGABYTE = 1_000_000
OFFERS = {"depth": "Draft depth works without any download.", "video": "Camera Move works without any download."}


def models(request: ListModels | DownloadModel | RemoveModel, stages: Stages) -> dict[str, Any]:
    """Does it and tells how things stand afterwards: {"models": [...], "devices": [...], "freed_bytes"}, plain JSON.

    Raises what engine/hub.py raises, or JobCancelled: a broken-off download is taken up by the next.
    """
    from .. import hub
    from ..depth.devices import devices

    def report(done: int, total: int) -> None:
        stages.step("download", done // MEGABYTE, max(total // MEGABYTE, 1))

    freed = 0
    match request:
        case DownloadModel():
            kind, model = find_model(request.model)
            with stages.stage("download"):
                hub.download(model, report, request.accept_licence, OFFERS[kind])
        case RemoveModel():
            freed = hub.remove(find_model(request.model)[1], (model for _, model in all_models().values()))
        case ListModels():
            pass
    return {"models": list_models(), "devices": devices(), "freed_bytes": freed}


def all_models() -> dict[str, tuple[str, Any]]:
    """id -> (kind, entry of its catalog), in the order in which they are offered."""
    from ..depth import catalog as depth
    from ..video import catalog as video

    return {
        **{key: ("depth", model) for key, model in depth.catalog().items()},
        **{key: ("video", model) for key, model in video.catalog().items()},
    }


def find_model(model_id: str) -> tuple[str, Any]:
    """The kind and the entry of that id. Raises BadRequest."""
    try:
        return all_models()[model_id]
    except KeyError as error:
        raise BadRequest(f"There is no model called {model_id!r}.", "See `models list` for those there are.") from error


def list_models() -> list[dict[str, Any]]:
    """Every entry as plain JSON, with "kind", "downloaded" and "default". Needs no full engine and no network."""
    from .. import hub
    from ..depth import catalog as depth
    from ..video import catalog as video

    defaults = (depth.DEFAULT_MODEL, video.DEFAULT_MODEL)
    return [
        {"kind": kind, **facts(model), "downloaded": hub.is_here(model), "default": key in defaults}
        for key, (kind, model) in all_models().items()
    ]


def facts(model: Any) -> dict[str, Any]:
    """What a person should know of a model before its download, as plain JSON."""
    names = ("id", "name", "repository", "megabytes", "licence", "licence_seen", "note", "ask")
    return {name: getattr(model, name) for name in names} | {"forbids": getattr(model, "forbids", "")}
