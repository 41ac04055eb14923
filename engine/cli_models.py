"""`python -m engine models list | download ID | remove ID`."""

from __future__ import annotations

import argparse

from .cli_common import Result, reporter, tell
from .errors import BadRequest
from .protocol import DownloadModel, ListModels, RemoveModel


def add_models(command: argparse.ArgumentParser) -> None:
    """Its own arguments; --json is there already."""
    command.add_argument("action", choices=["list", "download", "remove"])
    command.add_argument("model", nargs="?", default="", metavar="ID", help="a model's id, as `models list` shows it")
    command.add_argument(
        "--accept-licence", action="store_true", help="you have read and accept the licence that `models list` shows"
    )


def run_models(options: argparse.Namespace) -> Result:
    """The result of the job of the same kind. Text for people goes to stderr. Raises a DioramaError."""
    from .jobs.models import facts, find_model, models
    from .jobs.stages import Stages

    stages = Stages(reporter(options.json), lambda: False)
    if options.action == "list":
        result = models(ListModels(), stages)
        for model in result["models"]:
            tell(describe(model))
        tell(f"They run on: {', '.join(result['devices'])}.")
        return result
    if not options.model:
        raise BadRequest(f"`models {options.action}` needs a model's id.", "See `models list`.")
    if options.action == "remove":
        result = models(RemoveModel(options.model), stages)
        tell(f"{result['freed_bytes'] / 1e6:.0f} MB are free again.")
        return result
    # Before the first byte: what it is, how large, and under which licence.
    tell(describe({**facts(find_model(options.model)[1]), "downloaded": False}))
    result = models(DownloadModel(options.model, options.accept_licence), stages)
    tell(f"{options.model} is downloaded.")
    return result


def describe(model: Result) -> str:
    """Three or four lines of text about a model."""
    state = "downloaded" if model["downloaded"] else f"{model['megabytes']} MB to download"
    forbids = f"\n    Forbids: {model['forbids']}" if model["forbids"] else ""
    ask = "; must be accepted with --accept-licence" if model["ask"] else ""
    ask += "" if model["licence_seen"] else " (from memory: see its page)"
    licence = f"Licence: {model['licence']}{ask}{forbids}"
    return f"{model['id']}: {model['name']} ({state})\n    {licence}\n    {model['note']}"
