"""What is done to frames that are there already: time, joins, colour, steadiness, size.

Everything works on Frames: frames by number, made when they are asked for, so that memory stays the same however long a
clip is. A step takes Frames and gives Frames.
"""
