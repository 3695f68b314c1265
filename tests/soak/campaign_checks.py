"""The final check of a campaign: what was promised against what the service lists and what the PMS saw.

A delivery is answered in time if its answer was given well within `answer_timeout`; such an answer can
still be lost, but only with its connection, and only one of each: postings go one at a time, and the
next one is not sent before the last one's fate is on disk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

from attrs import frozen

from tests.soak.docked_service import DockedService
from tests.soak.posting_clients import AcceptedPosting, PostingClients

FINAL_STATES = {"done", "unknown", "refused"}
IN_TIME_RATIO = 0.5
"""Part of `answer_timeout` within which an answer was certainly in time, for a machine under load too."""

RowJson = dict[str, Any]


@frozen
class CampaignResult:
    """How many of each, of one lane or of several."""

    accepted_count: int
    state_counts: Counter[str]
    delivery_count: int
    repeated_count: int
    """Deliveries after the first of a posting."""
    lost_response_count: int
    connection_count: int

    def __add__(self, other: CampaignResult) -> CampaignResult:
        return CampaignResult(
            self.accepted_count + other.accepted_count,
            self.state_counts + other.state_counts,
            self.delivery_count + other.delivery_count,
            self.repeated_count + other.repeated_count,
            self.lost_response_count + other.lost_response_count,
            self.connection_count + other.connection_count,
        )

    def __str__(self) -> str:
        states = ", ".join(f"{count} {state}" for state, count in sorted(self.state_counts.items()))
        return (
            f"{self.accepted_count} postings accepted "
            f"({self.lost_response_count} of their calls got no answer): {states};"
            f" {self.delivery_count} deliveries on {self.connection_count} connections, "
            f"{self.repeated_count} repeated"
        )


def check_campaign(
    docked_service: DockedService, clients: PostingClients, timeout_s: float = 120
) -> CampaignResult:
    """Wait until all postings are settled, and hold everything against everything. The service must run."""
    rows = docked_service.wait_until_settled(timeout_s)
    seen = docked_service.pms_client.get("/postings")["postings"]
    (hotel,) = docked_service.pms_client.get("/")["properties"]
    problems = [
        *clients.errors,
        *check_all_listed(rows, list(clients.accepted_postings.values())),
        *check_states(rows, seen, docked_service.max_attempts),
        *check_order(rows, seen),
        *check_repetitions(seen, docked_service.settings["answer_timeout"] * IN_TIME_RATIO),
    ]
    assert not problems, f"{len(problems)} problems:\n" + "\n".join(problems[:20])
    deliveries = sum(one["deliveries"] for one in seen)
    return CampaignResult(
        accepted_count=len(clients.accepted_postings),
        state_counts=Counter(row["state"] for row in rows),
        delivery_count=deliveries,
        repeated_count=deliveries - len(seen),
        lost_response_count=clients.lost_response_count,
        connection_count=hotel["connections"],
    )


def check_all_listed(rows: list[RowJson], accepted: list[AcceptedPosting]) -> Iterator[str]:
    """Every promise is listed exactly once, as it was posted, and nothing else is."""
    listed = Counter(row["id"] for row in rows)
    yield from (f"posting {id} is listed {count} times" for id, count in listed.items() if count > 1)
    numbers = Counter(str(row["number"]) for row in rows)
    yield from (f"P# {number} was given {count} times" for number, count in numbers.items() if count > 1)
    by_id = {row["id"]: row for row in rows}
    for promise in accepted:
        row = by_id.pop(promise.id, None)
        if row is None:
            yield f"lost: {promise}"
            continue
        told = {key: row.get(key) for key in promise.body}
        if told != promise.body or str(row["number"]) != promise.number:
            yield f"changed: {promise} is now {row}"
    yield from (f"listed, but accepted for nobody: {row}" for row in by_id.values())


def check_states(rows: list[RowJson], pms_postings: list[RowJson], limit: int) -> Iterator[str]:
    """Each state is what happened at the PMS, and each attempt was counted before it was made."""
    came = {one["number"]: one for one in pms_postings}
    for row in rows:
        one = came.pop(str(row["number"]), {"deliveries": 0, "answers": []})
        expected = {"done": "OK", "refused": "NG"}.get(row["state"])
        if row["state"] not in FINAL_STATES:
            yield f"in the end {row['state']}: {row}"
        elif expected and expected not in one["answers"]:
            yield f"{row['state']}, but the PMS says {one}: {row}"
        elif row["state"] == "unknown" and row["attempts"] != limit:
            yield f"unknown after {row['attempts']} of {limit} attempts: {row}"
        if not one["deliveries"] <= row["attempts"] <= limit:
            yield f"{one['deliveries']} deliveries, {row['attempts']} attempts of {limit}: {row}"
    yield from (f"the PMS got what nobody listed: {one}" for one in came.values())


def check_order(rows: list[RowJson], pms_postings: list[RowJson]) -> Iterator[str]:
    """Postings first came in the order in which they were accepted.

    Those of which an attempt never came are left out: a kill between its commit and its first byte
    makes such a posting's first delivery a repetition, which may come later.
    """
    by_number = {str(row["number"]): row for row in rows}
    order = []
    for one in pms_postings:
        row = by_number.get(one["number"])
        if row is not None and row["attempts"] == one["deliveries"]:
            order.append(row["id"])
    yield from (
        f"posting {later} came before {earlier}" for later, earlier in pairwise(order) if later > earlier
    )


def check_repetitions(pms_postings: list[RowJson], in_time: float) -> Iterator[str]:
    """What was answered in time came again at most once per connection, and never on the same one."""
    excused: Counter[int] = Counter()
    for one in pms_postings:
        if len(one["came"]) != one["deliveries"]:
            yield f"came more often than can be: {one}"
        for delivery, again in pairwise(one["came"]):
            if not _answered_within(delivery, in_time):
                continue
            excused[delivery["connection"]] += 1
            if again["connection"] == delivery["connection"]:
                yield f"came again on the same connection though it was answered: {one}"
    yield from (
        f"{count} answers were lost with connection {connection}"
        for connection, count in excused.items()
        if count > 1
    )


def _answered_within(delivery: RowJson, seconds: float) -> bool:
    if delivery["answered_at"] is None:
        return False
    took = datetime.fromisoformat(delivery["answered_at"]) - datetime.fromisoformat(delivery["at"])
    return took.total_seconds() <= seconds
