"""Writes the clip and its sidecar, then dies before it can say so."""

import json
import sys
from pathlib import Path

import speak

from engine.protocol import Submit

speak.hello()
message = speak.next_message()
assert isinstance(message, Submit)
clip = Path(message.request.output)
clip.write_bytes(b"a clip")
Path(f"{clip}.json").write_text(json.dumps({"job_id": message.job_id, "clip": str(clip), "num_frames": 8}))
sys.exit("killed by fate")
