"""Models from the hub by name, of depth and of video alike: whether they are here, how they come, how they go.

What there is to offer is data (engine/depth/catalog.toml, engine/video/catalog.toml). Files live in the model hub's own
cache, which other programs share; the environment variable HF_HUB_CACHE names another folder. Only weights as
safetensors are fetched, never code. A login for models behind a gate is the hub's own (`hf auth login`); it is not
stored here. Nothing but `download` ever uses the network.
"""

# What the hub's library brings belongs to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from .errors import BadRequest, DioramaError, EngineFailure, OutputFailed, WeightsMissing
from .hub_files import counter, fetch, part_of, place_of

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoFile

WANTED = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
CHOICE = ("*.fp16.*", "*.bf16.*", "*.non_ema.*")  # second copies of the same weights
INSTALL_FULL = "Install the full engine in Diorama's preferences."
SPARE_BYTES = 500_000_000  # stay free on the disk after a download

Report = Callable[[int, int], None]  # bytes done, bytes in all; may raise to stop it


@dataclass(frozen=True)
class Source:
    """Files of one repository on the hub. files, skip: patterns; a name among `files` picks a single file.

    needed: whether the model can do nothing without them.
    """

    repository: str
    revision: str = "main"
    files: tuple[str, ...] = WANTED
    skip: tuple[str, ...] = CHOICE
    needed: bool = True


class Offered(Protocol):
    """What every catalog's entry has. ask: the licence must be accepted first. sources: its own first."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def megabytes(self) -> int: ...
    @property
    def licence(self) -> str: ...
    @property
    def ask(self) -> bool: ...
    @property
    def sources(self) -> tuple[Source, ...]: ...


# ------------------------------------------------------------------ what is here


def local_folder(source: Source) -> Path | None:
    """Where its files lie on this machine, whole; None if they do not. Never uses the network."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError
    except ImportError:
        return None
    try:
        folder = Path(snapshot_download(source.repository, revision=source.revision, local_files_only=True,
                                        allow_patterns=list(source.files), ignore_patterns=list(source.skip)))
    except LocalEntryNotFoundError:
        return None
    weights = list(folder.rglob("*.safetensors"))
    return folder if weights and all(file.exists() for file in weights) else None  # links whose end is gone do not


def is_here(model: Offered) -> bool:
    """Whether a model can be used: what only makes it faster may be missing."""
    return all(local_folder(source) is not None for source in model.sources if source.needed)


def not_here(model: Offered, offer: str) -> DioramaError:
    """The error for a model that was asked for and is not on this machine. offer: what works without it, or ""."""
    return WeightsMissing(
        f"{model.name} is not downloaded ({model.megabytes} MB, licence: {model.licence}).",
        f"Download it in Diorama's preferences or with `models download {model.id}`. {offer}".rstrip(),
    )


# ------------------------------------------------------------------ how it comes


def download(model: Offered, report: Report, accept: bool = False, offer: str = "") -> None:
    """Fetches a model's files; what is there already is kept, and a broken download goes on where it stopped.

    accept: the person has read the licence (only where `ask`). offer: what works without
    this model. Raises BadRequest, WeightsMissing (offline, hub out of reach, closed repository), OutputFailed (disk;
    before the first byte where the space does not suffice), EngineFailure for what arrived damaged.
    """
    if model.ask and not accept:
        raise BadRequest(
            f"{model.name} has a licence that must be accepted first: {model.licence}.",
            f"Read it on the page of {model.sources[0].repository} at the model hub, then accept it.",
        )
    try:
        from httpx2 import HTTPError
        from huggingface_hub import constants  # not an attribute until somebody imports it
        from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, OfflineModeIsEnabled
    except ImportError as error:
        raise WeightsMissing(
            f"{model.name} needs the full engine, which is not installed.", f"{INSTALL_FULL} {offer}".rstrip()
        ) from error
    if constants.is_offline_mode():
        raise WeightsMissing(
            f"{model.name} cannot be downloaded: this machine works offline.",
            f"Allow online access and try again. {offer}".rstrip(),
        )
    try:
        _download(model, report)
    except GatedRepoError as error:
        raise WeightsMissing(
            f"{model.name} is given only to people who accepted its terms at the model hub.",
            f"Accept them on the page of {model.sources[0].repository}, log in once with `hf auth login`, try again.",
        ) from error
    except (OfflineModeIsEnabled, LocalEntryNotFoundError, HTTPError, ConnectionError, TimeoutError) as error:
        raise _unreachable(model, error, offer) from error
    except OSError as error:
        raise OutputFailed(
            f"{model.name} could not be saved: {_first_line(error)}.",
            f"Free at least {model.megabytes} MB of disk space and try again.",
        ) from error
    except RuntimeError as error:  # the hub's transport reports a broken stream so
        raise _unreachable(model, error, offer) from error


def _download(model: Offered, report: Report) -> None:
    from huggingface_hub import snapshot_download

    wanted = {source: _to_come(source) for source in model.sources}
    total = sum(entry.size for entries in wanted.values() for entry in entries)
    begun = sum(_arrived(source, entry) for source, entries in wanted.items() for entry in entries)
    _check_space(model, total - begun)
    done = [begun]

    def tell(count: int) -> None:
        done[0] += count
        report(min(done[0], total), total)

    for source, entries in wanted.items():
        fetch(source.repository, _commit(source), [entry for entry in entries if entry.lfs], _folder(source), tell)
        small = [entry for entry in entries if not entry.lfs]
        # The large ones lie in their place already; it adds the rest and gives all of them their names.
        folder = Path(snapshot_download(source.repository, revision=source.revision, allow_patterns=list(source.files),
                                        ignore_patterns=list(source.skip), tqdm_class=counter(lambda _: None)))
        for entry in small:
            _check_small(model, folder / entry.path, entry.blob_id)
            tell(entry.size)


def _commit(source: Source) -> str:
    from huggingface_hub import HfApi

    return HfApi().repo_info(source.repository, revision=source.revision).sha or source.revision


def _to_come(source: Source) -> list[RepoFile]:
    """What is not on this machine yet. Raises WeightsMissing for a repository without safe weights."""
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile
    from huggingface_hub.utils import filter_repo_objects

    commit, folder = _commit(source), _folder(source)
    tree = HfApi().list_repo_tree(source.repository, recursive=True, revision=commit)
    found = list(filter_repo_objects((entry for entry in tree if isinstance(entry, RepoFile)), key=lambda one: one.path,
                                     allow_patterns=list(source.files), ignore_patterns=list(source.skip)))
    if not any(entry.path.endswith(".safetensors") for entry in found):
        raise WeightsMissing(
            f"{source.repository} holds no safetensors at revision '{source.revision}'.", "Choose another model."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    return [entry for entry in found if not place_of(folder, commit, entry).exists()]


def _arrived(source: Source, entry: RepoFile) -> int:
    """Bytes of a large file that an earlier try left."""
    part = part_of(_folder(source), entry) if entry.lfs else None
    return part.stat().st_size if part and part.exists() else 0


def _check_space(model: Offered, missing: int) -> None:
    """Raises OutputFailed where the disk cannot hold what is missing."""
    from huggingface_hub import constants

    cache = Path(constants.HF_HUB_CACHE)
    place = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free, needed = shutil.disk_usage(place).free, missing + SPARE_BYTES
    if missing and free < needed:
        raise OutputFailed(
            f"{model.name} needs {needed / 1e9:.1f} GB of free space, but '{place}' has {free / 1e9:.1f} GB.",
            "Free some space, or choose a models folder on another disk in Diorama's preferences.",
        )


def _check_small(model: Offered, file: Path, blob_id: str) -> None:
    """Raises EngineFailure, and deletes the file, where its content is not what git calls by this name."""
    content = file.read_bytes()
    if hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() != blob_id:
        file.resolve().unlink()
        file.unlink(missing_ok=True)
        raise EngineFailure(
            f"'{file.name}' of {model.name} arrived damaged and was deleted.", "Download it again; the rest is kept."
        )


# ------------------------------------------------------------------ how it goes


def remove(model: Offered, others: Iterable[Offered] = ()) -> int:
    """Deletes a model's files, but not what one of `others` that is here needs too; the bytes that became free.

    Raises OutputFailed.
    """
    needed = [other for other in others if other.id != model.id and is_here(other)]
    kept = {source.repository for other in needed for source in other.sources}
    freed = 0
    for source in model.sources:
        folder = _folder(source)
        if source.repository in kept or not folder.is_dir():
            continue
        freed += sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise OutputFailed(
                f"{model.name} could not be removed: {_first_line(error)}.", f"Delete the folder {folder} by hand."
            ) from error
    return freed


def _folder(source: Source) -> Path:
    """Where the hub's library keeps a repository. Names one that cannot exist where the library is not installed."""
    try:
        from huggingface_hub import constants
        from huggingface_hub.file_download import repo_folder_name
    except ImportError:
        return Path("no such folder")
    return Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=source.repository, repo_type="model")


def _unreachable(model: Offered, error: Exception, offer: str) -> WeightsMissing:
    return WeightsMissing(
        f"{model.name} could not be downloaded: {_first_line(error)}.",
        f"Check the network connection and try again. {offer}".rstrip(),
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
