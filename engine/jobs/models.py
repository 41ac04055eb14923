"""Jobs around the depth models themselves: list, download, remove."""

from __future__ import annotations

from typing import Any

from ..protocol import DownloadModel, ListModels, RemoveModel
from .stages import Stages

MEGABYTE = 1_000_000


def models(request: ListModels | DownloadModel | RemoveModel, stages: Stages) -> dict[str, Any]:
    """Does it and tells how things stand afterwards: {"models": [...], "devices": [...], "freed_bytes"}, plain JSON.

    Raises what engine/depth/catalog.py raises, or JobCancelled: a broken-off download is taken up by the next.
    """
    from ..depth.catalog import download_model, list_models, remove_model
    from ..depth.devices import devices

    def report(done: int, total: int) -> None:
        stages.step("download", done // MEGABYTE, max(total // MEGABYTE, 1))

    freed = 0
    match request:
        case DownloadModel():
            with stages.stage("download"):
                download_model(request.model, report, request.accept_licence)
        case RemoveModel():
            freed = remove_model(request.model)
        case ListModels():
            pass
    return {"models": list_models(), "devices": devices(), "freed_bytes": freed}
