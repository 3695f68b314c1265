"""PBXs that post continuously: each posting has its own key and is repeated until it is accepted.

A posting is accepted with a response 202, or 200 if an earlier response was lost. One that was refused with
503 is not stored. The final check of a campaign compares the accepted postings with the service and the PMS.
"""

from __future__ import annotations

from random import Random
from threading import Event, Lock, Thread
from typing import Any

from attrs import frozen

from tests.process.server_processes import WAIT_TIMEOUT_S
from tests.soak.json_client import JsonClient

POSTINGS_PATH = "/api/v1/links/grand/postings"
UNKNOWN_ROOM = "999"
"""A room that the simulated hotel does not have: the PMS rejects postings to it."""
REPEAT_PROBABILITY = 0.05
"""Probability that a client repeats an accepted posting."""


@frozen
class AcceptedPosting:
    """A posting that was accepted: its key, its body, and the id and number that it got."""

    key: str
    body: dict[str, Any]
    id: int
    number: str


class PostingClients:
    """Threads that post, each with a random pause of up to `max_pause_s` seconds after a posting."""

    def __init__(self, client: JsonClient, seed: object, clients: int, max_pause_s: float) -> None:
        self.client = client
        self.max_pause_s = max_pause_s
        self.accepted_postings: dict[str, AcceptedPosting] = {}
        self.unavailable_errors: list[dict[str, Any]] = []
        """The errors of responses 503."""
        self.errors: list[str] = []
        """Wrong responses of the service."""
        self.lost_response_count = 0
        """Calls that got no response."""
        self._stopping = Event()
        self._abandoned = Event()
        self._lock = Lock()
        names = [f"{seed}-{at}" for at in range(clients)]
        self._threads = [Thread(target=self._run, args=(name,), daemon=True) for name in names]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def ids(self) -> set[int]:
        """Return the ids of the postings accepted so far."""
        with self._lock:
            return {posting.id for posting in self.accepted_postings.values()}

    def stop_when_accepted(self) -> None:
        """Start no more postings, and wait until the last ones are accepted. The service must run."""
        self._stopping.set()
        self._join()

    def abandon(self) -> None:
        """Stop at once, without waiting until the last postings are accepted."""
        self._abandoned.set()
        self._stopping.set()
        self._join()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join(WAIT_TIMEOUT_S)
        assert not any(thread.is_alive() for thread in self._threads), "a client got no response"

    # one client

    def _run(self, name: str) -> None:
        rng = Random(name)
        accepted: list[AcceptedPosting] = []
        while not self._stopping.is_set():
            posting = self._post(f"{name}-{len(accepted)}", _make_posting(rng, len(accepted)))
            if posting is None:
                return
            if accepted and posting.id <= accepted[-1].id:
                self._add_error(f"{posting} was accepted after {accepted[-1]}")
            accepted.append(posting)
            if rng.random() < REPEAT_PROBABILITY:
                self._repeat_posting(rng.choice(accepted))
            self._stopping.wait(rng.uniform(0, self.max_pause_s))

    def _post(self, key: str, body: dict[str, Any]) -> AcceptedPosting | None:
        """Post until the service accepts; None if it rejects the posting or the client is abandoned."""
        may_be_stored = False
        while not self._abandoned.is_set():
            match self._call(key, body):
                case (202, response):
                    return self._record_accepted(key, body, response)
                case (200, response):
                    if not may_be_stored:
                        self._add_error(f"{key} was new or refused, but the response was 200")
                    return self._record_accepted(key, body, response)
                case (503, response):
                    self.unavailable_errors.append(response["error"])
                case None | (504, _):
                    may_be_stored = True
                case (status, response):
                    self._add_error(f"{key}: {status} {response}")
                    return None
            self._abandoned.wait(0.1)
        return None

    def _repeat_posting(self, accepted: AcceptedPosting) -> None:
        """Assert that the same key and body return the same posting, and another body 409."""
        match self._call(accepted.key, accepted.body):
            case None | (503, _):
                pass
            case (200, response):
                self._record_accepted(accepted.key, accepted.body, response)
            case other:
                self._add_error(f"{accepted} repeated: {other}")
        match self._call(accepted.key, {**accepted.body, "room": "111"}):
            case None | (503, _):
                pass
            case (409, {"error": {"code": "key_reused"}}):
                pass
            case other:
                self._add_error(f"{accepted} with another body: {other}")

    def _call(self, key: str, body: dict[str, Any]) -> tuple[int, Any] | None:
        response = self.client.call("POST", POSTINGS_PATH, body, {"Idempotency-Key": key})
        if response is None:
            with self._lock:
                self.lost_response_count += 1
        return response

    def _record_accepted(self, key: str, body: dict[str, Any], response: dict[str, Any]) -> AcceptedPosting:
        posting = AcceptedPosting(key, body, response["id"], str(response["number"]))
        with self._lock:
            first = self.accepted_postings.setdefault(key, posting)
        if first != posting:
            self._add_error(f"{first} became {posting}")
        return posting

    def _add_error(self, error: str) -> None:
        self.errors.append(error)


def _make_posting(rng: Random, count: int) -> dict[str, Any]:
    """Return the body of a posting that is unique for the client: its amount, digits or text count up."""
    room = UNKNOWN_ROOM if rng.random() < 0.03 else str(rng.randint(101, 110))
    match rng.randrange(4):
        case 0:
            call = {"type": "call", "room": room, "dialled": f"00{count + 1}", "duration": 60}
            return {**call, "amount": count + 1, "call_type": "I"}
        case 1:
            return {"type": "call", "room": room, "dialled": f"01{count + 1}", "duration": count % 3600}
        case 2:
            return {"type": "minibar", "room": room, "article": str(count % 9999), "count": 1}
        case _:
            return {"type": "charge", "room": room, "amount": count + 1, "outlet": "1", "text": f"No {count}"}
