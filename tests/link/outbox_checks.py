"""What has to be so after every step, and at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from pmslink.fias.record import Record
from tests.link.outbox_model import Model
from tests.link.outbox_row import OPEN, Known


def judge(model: Model, rows: Sequence[Any], tally: tuple[object, ...]) -> None:
    """After every step: what the database holds is what was told, and what is shown."""
    if model.objections:
        raise model.objections[0]
    assert {row.id: (row.state, row.changed) for row in rows} == {
        known.id: (known.state, known.row.changed) for known in model.rows.values()
    }
    assert sum(row.record == "PS" and row.state == "sent" for row in rows) <= 1
    numbers = [row.number for row in rows if row.record == "PS" and row.state in OPEN]
    assert len(numbers) == len(set(numbers))
    assert all(1 <= number <= model.highest for number in numbers)
    waiting = [row.created for row in rows if row.state in ("pending", "sent")]
    counts = Counter(row.state for row in rows)
    assert tally == (len(waiting), counts["unknown"], counts["refused"], next(iter(waiting), None))


def judge_the_end(model: Model, equipment: Callable[[str], Any]) -> None:
    """Nothing waits any more, and the PMS knows what it should."""
    newest: dict[tuple[str, str | None], Known] = {}
    for known in model.rows.values():
        assert known.state not in ("pending", "sent"), known
        assert not known.row.queued
        assert not (known.booked and known.state == "unknown"), "the PMS's answer was not understood"
        assert model.taken[known.identity] <= len(known.said)
        if known.state == "done":
            assert model.taken[known.identity]
        if known.record == "RE":
            newest[known.row.room, known.row.subject] = known
    for (room, subject), known in newest.items():
        if known.state != "discarded":
            told = equipment(room)
            value = told.status if subject == "RS" else told.voicemail
            assert value == Record(known.row.text).get(subject or "")
