"""Large files from the model hub into its cache: they go on where they stopped, and are checked as they arrive.

The hub's own downloader throws an unfinished file away, which for weights is an hour's work; and it checks sizes only.
What arrives here gets its place in the cache as the hub's library lays it out, when its SHA-256 is the right one.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from .errors import EngineFailure

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoFile

AT_ONCE = 4
PIECE = 8 << 20
PART = ".incomplete"  # of the name of an unfinished file, as the hub's library has it

Tell = Callable[[int], None]  # how many bytes more (or less) have arrived; may raise to stop it


def part_of(folder: Path, entry: RepoFile) -> Path:
    """Where the unfinished content of a large file lies. folder: of the repository in the cache."""
    return folder / "blobs" / f"{content_of(entry)}{PART}"


def content_of(entry: RepoFile) -> str:
    """The name of a file's content in the cache: the SHA-256 of a large one, git's name of a small one."""
    return entry.lfs.sha256 if entry.lfs else entry.blob_id


def place_of(folder: Path, commit: str, entry: RepoFile) -> Path:
    """Where the hub's library wants a file's content; where it cannot make links (some Windows), at the file's name."""
    from huggingface_hub.file_download import are_symlinks_supported

    if are_symlinks_supported(folder.parent):
        return folder / "blobs" / content_of(entry)
    return folder / "snapshots" / commit / entry.path


def fetch(repository: str, commit: str, entries: list[RepoFile], folder: Path, tell: Tell) -> None:
    """Brings the content of large files into the cache, several at once. What arrived before counts as arrived.

    folder: of the repository in the cache. Raises what `tell` raises, EngineFailure for a file that arrived damaged,
    and what the hub's library raises.
    """
    (folder / "blobs").mkdir(parents=True, exist_ok=True)
    lock, stop = threading.Lock(), threading.Event()

    def tell_one(count: int) -> None:
        if stop.is_set():
            raise _StoppedError
        with lock:
            tell(count)

    def one(entry: RepoFile) -> None:
        try:
            _fetch_one(repository, commit, entry, folder, tell_one)
        except BaseException:
            stop.set()
            raise

    with ThreadPoolExecutor(AT_ONCE) as pool:
        ended = [future.exception() for future in [pool.submit(one, entry) for entry in entries]]
    for error in sorted(filter(None, ended), key=lambda error: isinstance(error, _StoppedError)):
        raise error


class _StoppedError(Exception):
    """Another file's trouble ended this one."""


def _fetch_one(repository: str, commit: str, entry: RepoFile, folder: Path, tell: Tell) -> None:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    part, place = part_of(folder, entry), place_of(folder, commit, entry)
    url, headers = hf_hub_url(repository, entry.path, revision=commit), build_hf_headers()
    location = get_hf_file_metadata(url, headers=headers).location
    if not location.startswith(url.split("/resolve/")[0]):
        headers.pop("authorization", None)  # the login is the hub's, not that of the servers that keep its files
    with part.open("a+b") as file:
        checked = _Checked(file, tell)
        http_get(location, checked, resume_size=checked.start, headers=headers, expected_size=entry.size,
                 displayed_filename=entry.path, tqdm_class=counter(tell))
    if checked.found.hexdigest() != content_of(entry):
        part.unlink()
        raise EngineFailure(
            f"'{entry.path}' of {repository} arrived damaged and was deleted.", "Download it again; the rest is kept."
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    part.replace(place)


class _Checked(io.RawIOBase):
    """A file that is written at its end and hashed on the way. start: how much of it was there."""

    def __init__(self, file: BinaryIO, tell: Tell) -> None:
        self.file, self.found, self.start = file, hashlib.sha256(), 0
        file.seek(0)
        while piece := file.read(PIECE):
            self.found.update(piece)
            self.start += len(piece)
            tell(0)

    def write(self, data: Any) -> int:
        self.found.update(data)
        return self.file.write(data)

    def tell(self) -> int:
        return self.file.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def truncate(self, size: int | None = None) -> int:
        """The server cannot go on in the middle and begins anew."""
        self.found = hashlib.sha256()
        return self.file.truncate(size)


def counter(tell: Tell) -> Any:
    """A progress bar that draws nothing and tells the bytes. The hub opens others, for files, which tell nothing."""
    from tqdm.auto import tqdm

    class Counter(tqdm):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self.bytes = options.get("unit") == "B"
            options.pop("name", None)  # the hub's own addition, which tqdm does not know
            super().__init__(*arguments, **{**options, "file": io.StringIO()})

        def update(self, n: float | None = 1) -> bool | None:
            drawn = super().update(n)
            if self.bytes and n:
                tell(int(n))
            return drawn

    return Counter
