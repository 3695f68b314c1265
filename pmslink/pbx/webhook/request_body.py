"""The body of a webhook request: one event, or a batch of events."""

from __future__ import annotations

from collections.abc import Sequence

MAX_BATCH_BYTES = 256 * 1024
"""Maximum bytes of the events of a batch. A single event that is longer is a batch of its own."""


def fill_batch(events: Sequence[bytes]) -> int:
    """Return how many of these serialized events one batch holds, from the first on; one at least."""
    size = 0
    for count, event in enumerate(events):
        size += len(event)
        if count and size > MAX_BATCH_BYTES:
            return count
    return len(events)


def build_body(events: Sequence[bytes], is_batch: bool) -> bytes:
    """Return the body that delivers serialized events: `{"events": […]}` for a batch, else the one event."""
    if is_batch:
        return b'{"events":[%s]}' % b",".join(events)
    (event,) = events
    return event
