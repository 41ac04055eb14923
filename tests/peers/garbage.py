"""Greets and then prints text on the stream, as a library would if it could."""

import speak

speak.hello()
speak.next_job()
print("Downloading model: 12%|###", flush=True)
speak.next_message()
