"""What the documentation says of the models is what the catalog says."""

from devtools import models


def test_the_table_of_models_is_that_of_the_catalog():
    assert models.table() in models.PAGE.read_text(encoding="utf-8"), "run: python3 dev.py models"
