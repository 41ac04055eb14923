"""What the badly behaved engines share: speaking and listening, with the real protocol module."""

import sys

from engine import VERSION, protocol


def say(*messages: protocol.Message) -> None:
    for message in messages:
        sys.stdout.buffer.write(protocol.encode(message))
    sys.stdout.buffer.flush()


def hello() -> None:
    say(protocol.Hello(protocol.PROTOCOL_VERSION, VERSION))


def next_message() -> protocol.Message:
    line = sys.stdin.buffer.readline()
    if not line:
        sys.exit(0)
    return protocol.decode(line)


def next_job() -> str:
    """Waits for a job; its id."""
    while True:
        message = next_message()
        if isinstance(message, protocol.Submit):
            return message.job_id
        if isinstance(message, protocol.Shutdown):
            sys.exit(0)
