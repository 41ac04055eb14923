"""The engine process: stills, depth, layers, camera and clips. No bpy, and no import from above this package."""

VERSION = "0.1.0"
