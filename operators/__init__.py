"""What a person can do: one file per group of verbs, each execute finds, calls one function and returns."""

from __future__ import annotations

from . import (
    bake,
    bridge,
    camera_move,
    camera_view,
    depth_controls,
    engine,
    extend,
    finish,
    generate,
    jobs,
    models,
    render_out,
    rig,
    sequence,
    stitch,
    takes,
)

CLASSES = (
    *camera_move.CLASSES,
    *generate.CLASSES,
    *depth_controls.CLASSES,
    *jobs.CLASSES,
    *engine.CLASSES,
    *models.CLASSES,
    *rig.CLASSES,
    *bake.CLASSES,
    *camera_view.CLASSES,
    *takes.CLASSES,
    *stitch.CLASSES,
    *finish.CLASSES,
    *sequence.CLASSES,
    *extend.CLASSES,
    *bridge.CLASSES,
    *render_out.CLASSES,
)
