"""The rules that hold after every step, and at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from pmslink.fias.record import Record
from tests.link.outbox_model import OutboxModel
from tests.link.outbox_row import OPEN_STATES, ModelRow


def check_step(model: OutboxModel, rows: Sequence[Any], outbox_counts: tuple[object, ...]) -> None:
    """Check after a step that the database, the published rows and the counts agree."""
    if model.errors:
        raise model.errors[0]
    assert {row.id: (row.state, row.changed) for row in rows} == {
        model_row.id: (model_row.state, model_row.row.changed) for model_row in model.rows.values()
    }
    assert sum(row.record == "PS" and row.state == "sent" for row in rows) <= 1
    numbers = [row.number for row in rows if row.record == "PS" and row.state in OPEN_STATES]
    assert len(numbers) == len(set(numbers))
    assert all(1 <= number <= model.max_number for number in numbers)
    waiting = [row.created for row in rows if row.state in ("pending", "sent")]
    counts = Counter(row.state for row in rows)
    assert outbox_counts == (len(waiting), counts["unknown"], counts["refused"], next(iter(waiting), None))


def check_end(model: OutboxModel, equipment: Callable[[str], Any]) -> None:
    """Check at the end that no row is pending, and that the PMS has every row that is done."""
    newest: dict[tuple[str, str | None], ModelRow] = {}
    for model_row in model.rows.values():
        assert model_row.state not in ("pending", "sent"), model_row
        assert not model_row.row.queued
        assert not (model_row.is_booked and model_row.state == "unknown"), (
            "the PMS's answer was not understood"
        )
        assert model.received_counts[model_row.identity] <= len(model_row.sent_times)
        if model_row.state == "done":
            assert model.is_received(model_row)
        if model_row.record == "RE":
            newest[model_row.row.room, model_row.row.subject] = model_row
    for (room, subject), model_row in newest.items():
        # It is unknown if it was lost as often as the limit allows.
        if model_row.state == "done" and model.received_counts[model_row.identity]:
            state = equipment(room)
            value = state.status if subject == "RS" else state.voicemail
            assert value == Record(model_row.row.text).get(subject or "")
