"""PBXs that post without pause: each posting under a key of its own, repeated until it is accepted.

What was answered 202 (or 200, when an answer was lost before) is remembered here: it is what the
service has promised, and what the final check holds it to.
"""

from __future__ import annotations

from random import Random
from threading import Event, Lock, Thread
from typing import Any

from attrs import frozen

from tests.soak.json_client import JsonClient

POSTINGS_PATH = "/api/v1/links/grand/postings"
UNKNOWN_ROOM = "999"
"""A room that the simulated hotel lacks: the PMS refuses what is posted to it."""
REPEAT_PROBABILITY = 0.05
"""How often a client asks once more for what has been accepted."""


@frozen
class AcceptedPosting:
    """A posting that was accepted: its key, what was posted, and what it was called."""

    key: str
    body: dict[str, Any]
    id: int
    number: str


class PostingClients:
    """So many clients. ``pause`` is the longest time in seconds that one waits between two postings."""

    def __init__(self, client: JsonClient, seed: object, clients: int, max_pause_s: float) -> None:
        self.client = client
        self.max_pause_s = max_pause_s
        self.accepted_postings: dict[str, AcceptedPosting] = {}
        self.unavailable_errors: list[dict[str, Any]] = []
        """Errors of answers 503."""
        self.errors: list[str] = []
        """What may not happen and did."""
        self.lost_response_count = 0
        """Calls whose answer never came."""
        self._stopping = Event()
        self._abandoned = Event()
        self._lock = Lock()
        names = [f"{seed}-{at}" for at in range(clients)]
        self._threads = [Thread(target=self._run, args=(name,), daemon=True) for name in names]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def ids(self) -> set[int]:
        """What has been accepted so far."""
        with self._lock:
            return {promise.id for promise in self.accepted_postings.values()}

    def stop_when_accepted(self) -> None:
        """Begin no more postings, and wait until the last ones are accepted: the service must run."""
        self._stopping.set()
        self._join()

    def abandon(self) -> None:
        """End at once, whatever has been accepted."""
        self._abandoned.set()
        self._stopping.set()
        self._join()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self._threads), "a client never got its answer"

    # one client

    def _run(self, name: str) -> None:
        chance = Random(name)
        own: list[AcceptedPosting] = []
        while not self._stopping.is_set():
            promise = self._post(f"{name}-{len(own)}", _make_posting(chance, len(own)))
            if promise is None:
                return
            if own and promise.id <= own[-1].id:
                self._add_error(f"{promise} was accepted after {own[-1]}")
            own.append(promise)
            if chance.random() < REPEAT_PROBABILITY:
                self._repeat_posting(chance.choice(own))
            self._stopping.wait(chance.uniform(0, self.max_pause_s))

    def _post(self, key: str, body: dict[str, Any]) -> AcceptedPosting | None:
        """Post until it is accepted. None if it never was."""
        tried = False
        while not self._abandoned.is_set():
            match self._call(key, body):
                case (202, answer):
                    return self._record_accepted(key, body, answer)
                case (200, answer):
                    if not tried:
                        self._add_error(f"{key} was new, but answered 200")
                    return self._record_accepted(key, body, answer)
                case (503, answer):
                    self.unavailable_errors.append(answer["error"])
                case (status, answer):
                    self._add_error(f"{key}: {status} {answer}")
                    return None
            tried = True
            self._abandoned.wait(0.1)
        return None

    def _repeat_posting(self, accepted: AcceptedPosting) -> None:
        """The same key and body give the same posting; the same key with another body gives 409."""
        match self._call(accepted.key, accepted.body):
            case None | (503, _):
                pass
            case (200, answer):
                self._record_accepted(accepted.key, accepted.body, answer)
            case other:
                self._add_error(f"{accepted} once more: {other}")
        match self._call(accepted.key, {**accepted.body, "room": "111"}):
            case None | (503, _):
                pass
            case (409, {"error": {"code": "key_reused"}}):
                pass
            case other:
                self._add_error(f"{accepted} with another body: {other}")

    def _call(self, key: str, body: dict[str, Any]) -> tuple[int, Any] | None:
        answer = self.client.call("POST", POSTINGS_PATH, body, {"Idempotency-Key": key})
        if answer is None:
            with self._lock:
                self.lost_response_count += 1
        return answer

    def _record_accepted(self, key: str, body: dict[str, Any], answer: dict[str, Any]) -> AcceptedPosting:
        promise = AcceptedPosting(key, body, answer["id"], str(answer["number"]))
        with self._lock:
            known = self.accepted_postings.setdefault(key, promise)
        if known != promise:
            self._add_error(f"{known} became {promise}")
        return promise

    def _add_error(self, error: str) -> None:
        self.errors.append(error)


def _make_posting(rng: Random, count: int) -> dict[str, Any]:
    """A posting that no other of this client equals: its amount, digits or text count up."""
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
