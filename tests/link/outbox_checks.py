"""What has to be so after every step, and at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from pmslink.fias.record import Record
from tests.link.outbox_model import OutboxModel
from tests.link.outbox_row import OPEN_STATES, ModelRow


def check_step(model: OutboxModel, rows: Sequence[Any], outbox_counts: tuple[object, ...]) -> None:
    """After every step: what the database holds is what was told, and what is shown."""
    if model.errors:
        raise model.errors[0]
    assert {row.id: (row.state, row.changed) for row in rows} == {
        known.id: (known.state, known.row.changed) for known in model.rows.values()
    }
    assert sum(row.record == "PS" and row.state == "sent" for row in rows) <= 1
    numbers = [row.number for row in rows if row.record == "PS" and row.state in OPEN_STATES]
    assert len(numbers) == len(set(numbers))
    assert all(1 <= number <= model.max_number for number in numbers)
    waiting = [row.created for row in rows if row.state in ("pending", "sent")]
    counts = Counter(row.state for row in rows)
    assert outbox_counts == (len(waiting), counts["unknown"], counts["refused"], next(iter(waiting), None))


def check_end(model: OutboxModel, equipment: Callable[[str], Any]) -> None:
    """Nothing waits any more, and the PMS knows what it should."""
    newest: dict[tuple[str, str | None], ModelRow] = {}
    for known in model.rows.values():
        assert known.state not in ("pending", "sent"), known
        assert not known.row.queued
        assert not (known.is_booked and known.state == "unknown"), "the PMS's answer was not understood"
        assert model.received_counts[known.identity] <= len(known.sent_times)
        if known.state == "done":
            assert model.received_counts[known.identity]
        if known.record == "RE":
            newest[known.row.room, known.row.subject] = known
    for (room, subject), known in newest.items():
        if known.state != "discarded":
            told = equipment(room)
            value = told.status if subject == "RS" else told.voicemail
            assert value == Record(known.row.text).get(subject or "")
