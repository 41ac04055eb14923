"""The depth models offered by name, and what is said where the full engine or a download is missing."""

import importlib.util

import numpy as np
import pytest

from engine import hub
from engine.depth.catalog import DEFAULT_MODEL, catalog, find_model
from engine.depth.estimate import estimate_depth
from engine.errors import BadDepth, BadRequest, WeightsMissing
from engine.jobs.models import list_models
from engine.media.still import Still
from engine.protocol import DepthSettings

LIGHT = importlib.util.find_spec("huggingface_hub") is None


def nothing(*_):
    pytest.fail("nothing may be fetched")


def still():
    return Still(np.full((40, 60, 3), 90, np.uint8), None, None, "made.png")


def test_every_model_states_its_licence_and_size():
    assert DEFAULT_MODEL in catalog()
    assert catalog()[DEFAULT_MODEL].licence == "Apache-2.0" and not catalog()[DEFAULT_MODEL].ask
    for entry in list_models():
        assert entry["licence"] and entry["megabytes"] > 0 and "/" in entry["repository"]
        assert isinstance(entry["downloaded"], bool)
    assert [entry["id"] for entry in list_models() if entry["kind"] == "depth"] == list(catalog())
    assert sum(entry["default"] for entry in list_models() if entry["kind"] == "depth") == 1


def test_a_research_licence_must_be_accepted_before_a_download():
    restricted = [model for model in catalog().values() if model.ask]
    assert restricted
    for model in restricted:
        with pytest.raises(BadRequest, match="research only"):
            hub.download(model, nothing)


def test_an_unknown_name_is_answered_with_those_that_there_are():
    with pytest.raises(BadRequest, match=DEFAULT_MODEL):
        find_model("depth-nothing")
    with pytest.raises(BadRequest, match="no depth model called"):
        estimate_depth(still(), DepthSettings(model="depth-nothing"))


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadDepth, match="no model folder"):
        estimate_depth(still(), DepthSettings(model=str(tmp_path / "nowhere")))


@pytest.mark.skipif(not LIGHT, reason="the full engine is installed here")
def test_the_light_engine_says_what_is_missing_and_offers_the_draft(tmp_path):
    for model in (DEFAULT_MODEL, str(tmp_path)):
        with pytest.raises(WeightsMissing, match="full engine") as caught:
            estimate_depth(still(), DepthSettings(model=model))
        assert "Draft depth" in caught.value.remedy
    with pytest.raises(WeightsMissing, match="full engine"):
        hub.download(find_model(DEFAULT_MODEL), nothing)
