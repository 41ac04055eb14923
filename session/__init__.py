"""Blender-side runtime: engine client, job queue, installer, recovery. No bpy in here."""
