"""The parallax camera rig: a layered still as a Blender scene with an animated camera. bpy; no session, no operators.

still.py    the layered still on disk, read with numpy      axes.py      OpenCV's axes <-> Blender's, lens and shift
owned.py    what a rig owns: tagged, found, removed         scene.py     builds it, step by step
nodes.py    materials and their nodes                        material.py  the photo projected from its camera
moves.py    what a named move adds to the rest pose         stack.py     moves on top of another, as keyframes
curves.py   few keys that follow a curve                    sample.py    the evaluated camera, frame by frame
coverage.py what the camera sees beyond the photo, limited  bake.py      what a bake needs of Blender
project.py  pictures projected onto a set                   background.py  runs in another Blender
"""
