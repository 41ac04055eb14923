"""Image-to-video: the catalog of models, one adapter a pipeline family, the plan for the memory, the run itself.

    catalog.toml, catalog.py   which models there are, what each can do, under which licence
    family.py, families/       how one pipeline class of diffusers is loaded, asked and read
    (see docs/models.md)
"""
