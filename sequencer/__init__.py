"""The only code that knows the Sequencer's data. bpy, but no session and no operators."""
