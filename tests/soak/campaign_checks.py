"""The final check of a campaign: compare accepted postings with the service and the PMS.

A delivery is answered in time if the PMS answered well within `answer_timeout`. Such an answer can be lost
only with its connection, and only one per connection: postings are sent one at a time, and the next one is
not sent before the result of the last one is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

from attrs import frozen

from pmslink.hotel.charge_destination import IN_DOUBT_SUFFIX
from tests.soak.docked_service import DockedService
from tests.soak.posting_clients import AcceptedPosting, PostingClients

FINAL_STATES = {"done", "unknown", "refused"}
IN_TIME_RATIO = 0.5
"""Ratio of `answer_timeout` within which an answer counts as in time, also on a busy machine."""

RowJson = dict[str, Any]


@frozen
class CampaignResult:
    """The counts of one campaign, or of several added."""

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
            f"({self.lost_response_count} calls without a response): {states}; "
            f"{self.delivery_count} deliveries on {self.connection_count} connections, "
            f"{self.repeated_count} of them repeated"
        )


def check_campaign(
    docked_service: DockedService, clients: PostingClients, timeout_s: float = 120
) -> CampaignResult:
    """Wait until all postings are settled, and run all checks. The service must run."""
    rows = docked_service.wait_until_settled(timeout_s)
    pms_postings = docked_service.pms_client.get("/postings")["postings"]
    (hotel,) = docked_service.pms_client.get("/")["properties"]
    problems = [
        *clients.errors,
        *check_all_listed(rows, list(clients.accepted_postings.values())),
        *check_states(rows, pms_postings, docked_service.max_attempts),
        *check_order(rows, pms_postings),
        *check_repetitions(pms_postings, docked_service.settings["answer_timeout"] * IN_TIME_RATIO),
    ]
    assert not problems, f"{len(problems)} problems:\n" + "\n".join(problems[:20])
    deliveries = sum(posting["deliveries"] for posting in pms_postings)
    return CampaignResult(
        accepted_count=len(clients.accepted_postings),
        state_counts=Counter(row["state"] for row in rows),
        delivery_count=deliveries,
        repeated_count=deliveries - len(pms_postings),
        lost_response_count=clients.lost_response_count,
        connection_count=hotel["connections"],
    )


def check_all_listed(rows: list[RowJson], accepted: list[AcceptedPosting]) -> Iterator[str]:
    """Check that the service lists each accepted posting once and unchanged, and nothing else."""
    listed = Counter(row["id"] for row in rows)
    yield from (f"posting {row_id} is listed {count} times" for row_id, count in listed.items() if count > 1)
    numbers = Counter(str(row["number"]) for row in rows)
    yield from (f"P# {number} is used {count} times" for number, count in numbers.items() if count > 1)
    by_id = {row["id"]: row for row in rows}
    for posting in accepted:
        row = by_id.pop(posting.id, None)
        if row is None:
            yield f"lost: {posting}"
            continue
        listed_body = {key: row.get(key) for key in posting.body}
        if listed_body != posting.body or str(row["number"]) != posting.number:
            yield f"changed: {posting} is now {row}"
    yield from (f"listed, but not accepted: {row}" for row in by_id.values())


def check_states(rows: list[RowJson], pms_postings: list[RowJson], limit: int) -> Iterator[str]:
    """Check each final state against the PMS, and that each attempt was counted before it was made."""
    pms_by_number = {posting["number"]: posting for posting in pms_postings}
    for row in rows:
        delivered = pms_by_number.pop(str(row["number"]), {"deliveries": 0, "answers": []})
        expected = {"done": "OK", "refused": "NG"}.get(row["state"])
        if row["state"] not in FINAL_STATES:
            yield f"final state {row['state']}: {row}"
        elif row["state"] == "refused" and row["reason"] == "guest_left":
            yield from _check_refusal_without_guest(row, delivered)
        elif expected and expected not in delivered["answers"]:
            yield f"{row['state']}, but the PMS has {delivered}: {row}"
        elif row["state"] == "unknown" and not 1 <= row["attempts"] <= limit:
            yield f"unknown after {row['attempts']} of {limit} attempts: {row}"
        if not delivered["deliveries"] <= row["attempts"] <= limit:
            yield f"{delivered['deliveries']} deliveries, {row['attempts']} attempts of {limit}: {row}"
    yield from (
        f"the PMS received a posting that is not listed: {posting}" for posting in pms_by_number.values()
    )


def _check_refusal_without_guest(row: RowJson, delivered: RowJson) -> Iterator[str]:
    """Check a refusal because of a later guest: nobody checks out here, so the room was vacant before."""
    if row["reservation"] is not None:
        yield f"refused, but its guest is in the hotel: {row}"
    if delivered["deliveries"] and not row["text_answer"].endswith(IN_DOUBT_SUFFIX):
        yield f"refused without a word about {delivered}: {row}"


def check_order(rows: list[RowJson], pms_postings: list[RowJson]) -> Iterator[str]:
    """Check that the first deliveries of postings are in the order of acceptance.

    Postings with an attempt that never reached the PMS are excluded: after a kill between the commit of
    an attempt and its first byte, the first delivery is a repetition, which may be later.
    """
    by_number = {str(row["number"]): row for row in rows}
    order = []
    for posting in pms_postings:
        row = by_number.get(posting["number"])
        if row is not None and row["attempts"] == posting["deliveries"]:
            order.append(row["id"])
    yield from (
        f"posting {later} was delivered before {earlier}"
        for later, earlier in pairwise(order)
        if later > earlier
    )


def check_repetitions(pms_postings: list[RowJson], in_time: float) -> Iterator[str]:
    """Check that an answer in time is lost at most once per connection, and never on a live one."""
    lost_answers: Counter[int] = Counter()
    for posting in pms_postings:
        if len(posting["came"]) != posting["deliveries"]:
            yield f"delivered more often than the PMS stores: {posting}"
        for delivery, repetition in pairwise(posting["came"]):
            if not _answered_within(delivery, in_time):
                continue
            lost_answers[delivery["connection"]] += 1
            if repetition["connection"] == delivery["connection"]:
                yield f"repeated on the same connection although it was answered: {posting}"
    yield from (
        f"{count} answers were lost with connection {connection}"
        for connection, count in lost_answers.items()
        if count > 1
    )


def _answered_within(delivery: RowJson, seconds: float) -> bool:
    if delivery["answered_at"] is None:
        return False
    delay = datetime.fromisoformat(delivery["answered_at"]) - datetime.fromisoformat(delivery["at"])
    return delay.total_seconds() <= seconds
