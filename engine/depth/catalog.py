"""The depth models offered by name: what they are, under which licence, whether they are here, and how to fetch them.

The catalog is data (catalog.toml). Files live in the model hub's own cache, which other programs share. Nothing but
`download_model` ever uses the network.
"""

# torch and its kin belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import functools
import io
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import BadRequest, DioramaError, EngineFailure, OutputFailed, WeightsMissing

if TYPE_CHECKING:
    from huggingface_hub import CachedRepoInfo

DEFAULT_MODEL = "depth-anything-v2-small"
WANTED = ("*.json", "*.safetensors", "*.txt", "*.model")
CHOICE = ("*.fp16.*", "*.bf16.*", "*.non_ema.*")     # second copies of the same weights
OFFER = "Draft depth works without any download."
INSTALL_FULL = "Install the full engine in Diorama's preferences. " + OFFER


@dataclass(frozen=True)
class DepthModel:
    """One entry of the catalog. megabytes: about what a download takes. ask: the licence must be accepted first."""

    id: str
    name: str
    repository: str
    megabytes: int
    licence: str
    licence_seen: bool
    note: str
    ask: bool = False
    focal: bool = False


@functools.cache
def catalog() -> dict[str, DepthModel]:
    """id -> model, in the order in which they are offered."""
    with (Path(__file__).parent / "catalog.toml").open("rb") as file:
        return {key: DepthModel(key, **entry) for key, entry in tomllib.load(file).items()}


def list_models() -> list[dict[str, Any]]:
    """Every entry as plain JSON, with "downloaded" and "default". Needs neither the full engine nor a network."""
    return [{**vars(model), "downloaded": local_folder(model) is not None, "default": model.id == DEFAULT_MODEL}
            for model in catalog().values()]


def find_model(model_id: str) -> DepthModel:
    """The entry of that id. Raises BadRequest, which names those that there are."""
    try:
        return catalog()[model_id]
    except KeyError as error:
        raise BadRequest(f"There is no depth model called {model_id!r}.",
                         f"Choose draft, {', '.join(catalog())}, or the folder of a model.") from error


def local_folder(model: DepthModel) -> Path | None:
    """Where its files lie on this machine, whole; None if they do not. Never uses the network."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError
    except ImportError:
        return None
    try:
        folder = Path(snapshot_download(model.repository, local_files_only=True, allow_patterns=list(WANTED),
                                        ignore_patterns=list(CHOICE)))      # else it misses what was left out
    except LocalEntryNotFoundError:
        return None
    weights = list(folder.rglob("*.safetensors"))
    return folder if weights and all(file.exists() for file in weights) else None     # links whose end is gone do not


def download_model(model_id: str, report: Callable[[int, int], None] | None = None, accept: bool = False) -> Path:
    """Fetches a model's files; what is there already is kept, and a broken download goes on where it stopped.

    report: called with bytes done, bytes in all. accept: the person has read the licence (only where `ask`).
    Returns the folder. Raises BadRequest, WeightsMissing (offline, hub out of reach), OutputFailed (disk).
    """
    model = find_model(model_id)
    if model.ask and not accept:
        raise BadRequest(f"{model.name} has a licence that must be accepted first: {model.licence}.",
                         f"Read it on the page of {model.repository} at the model hub, then accept it.")
    try:
        import huggingface_hub
        from huggingface_hub import constants  # not an attribute until somebody imports it
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
    except ImportError as error:
        raise WeightsMissing("Learned depth needs the full engine, which is not installed.", INSTALL_FULL) from error
    offline = WeightsMissing(f"{model.name} cannot be downloaded: this machine works offline.",
                             f"Allow online access and try again. {OFFER}")
    if constants.is_offline_mode():
        raise offline
    try:
        found = huggingface_hub.snapshot_download(model.repository, allow_patterns=list(WANTED),
                                                  ignore_patterns=list(CHOICE), tqdm_class=_counter(report))
    except (OfflineModeIsEnabled, LocalEntryNotFoundError, HfHubHTTPError, ConnectionError, TimeoutError) as error:
        raise WeightsMissing(f"{model.name} could not be downloaded: {_first_line(error)}.",
                             f"Check the network connection and try again. {OFFER}") from error
    except OSError as error:
        raise OutputFailed(f"{model.name} could not be saved: {_first_line(error)}.",
                           f"Free at least {model.megabytes} MB of disk space and try again.") from error
    except RuntimeError as error:       # the hub's transport reports a broken stream so
        raise WeightsMissing(f"{model.name} could not be downloaded: {_first_line(error)}.",
                             f"Check the network connection and try again. {OFFER}") from error
    folder = local_folder(model)
    if folder is None:
        raise EngineFailure(f"The download of {model.name} into {found} is not whole.", "Download it again.")
    return folder


def remove_model(model_id: str) -> int:
    """Deletes a model's files; the bytes that became free, 0 if there were none. Raises BadRequest, OutputFailed."""
    model = find_model(model_id)
    here = _cached(model)
    if here is None:
        return 0
    from huggingface_hub import scan_cache_dir

    try:
        scan_cache_dir().delete_revisions(*(revision.commit_hash for revision in here.revisions)).execute()
    except OSError as error:
        raise OutputFailed(f"{model.name} could not be removed: {_first_line(error)}.",
                           f"Delete the folder {here.repo_path} by hand.") from error
    return here.size_on_disk


def not_here(model: DepthModel) -> DioramaError:
    """The error for a model that was asked for and is not on this machine."""
    return WeightsMissing(f"{model.name} is not downloaded ({model.megabytes} MB, licence: {model.licence}).",
                          f"Download it in Diorama's preferences or with `models download {model.id}`. {OFFER}")


def _cached(model: DepthModel) -> CachedRepoInfo | None:
    try:
        from huggingface_hub import CacheNotFound, scan_cache_dir
    except ImportError:
        return None
    try:
        cached = scan_cache_dir()
    except CacheNotFound:
        return None
    return next((found for found in cached.repos if found.repo_id == model.repository), None)


def _counter(report: Callable[[int, int], None] | None) -> Any:
    """A progress bar that draws nothing and tells `report`. The hub opens one for the bytes and one for the files."""
    from tqdm.auto import tqdm

    class Counter(tqdm):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self.bytes = options.get("unit") == "B"
            options.pop("name", None)           # the hub's own addition, which tqdm does not know
            super().__init__(*arguments, **{**options, "file": io.StringIO()})

        def update(self, n: float | None = 1) -> bool | None:
            drawn = super().update(n)
            if report and self.bytes:
                report(int(self.n), int(self.total or 0))
            return drawn

    return Counter


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
