"""PBXs that post without pause: each posting under a key of its own, repeated until it is accepted.

What was answered 202 (or 200, when an answer was lost before) is remembered here: it is what the
service has promised, and what the final check holds it to.
"""

from __future__ import annotations

from random import Random
from threading import Event, Lock, Thread
from typing import Any

from attrs import frozen

from tests.soak.json_client import Interface

POSTINGS = "/api/v1/links/grand/postings"
UNKNOWN_ROOM = "999"
"""A room that the simulated hotel lacks: the PMS refuses what is posted to it."""
REPEATED = 0.05
"""How often a client asks once more for what has been accepted."""


@frozen
class Promise:
    """A posting that was accepted: its key, what was posted, and what it was called."""

    key: str
    body: dict[str, Any]
    id: int
    number: str


class Load:
    """So many clients. ``pause`` is the longest time in seconds that one waits between two postings."""

    def __init__(self, interface: Interface, seed: object, clients: int, pause: float) -> None:
        self.interface = interface
        self.pause = pause
        self.promises: dict[str, Promise] = {}
        self.refusals: list[dict[str, Any]] = []
        """Errors of answers 503."""
        self.complaints: list[str] = []
        """What may not happen and did."""
        self.lost_answers = 0
        """Calls whose answer never came."""
        self._stop = Event()
        self._give_up = Event()
        self._lock = Lock()
        names = [f"{seed}-{at}" for at in range(clients)]
        self._threads = [Thread(target=self._run, args=(name,), daemon=True) for name in names]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def ids(self) -> set[int]:
        """What has been accepted so far."""
        with self._lock:
            return {promise.id for promise in self.promises.values()}

    def finish(self) -> None:
        """Begin no more postings, and wait until the last ones are accepted: the service must run."""
        self._stop.set()
        self._join()

    def abandon(self) -> None:
        """End at once, whatever has been accepted."""
        self._give_up.set()
        self._stop.set()
        self._join()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self._threads), "a client never got its answer"

    # one client

    def _run(self, name: str) -> None:
        chance = Random(name)
        own: list[Promise] = []
        while not self._stop.is_set():
            promise = self._post(f"{name}-{len(own)}", _charge(chance, len(own)))
            if promise is None:
                return
            if own and promise.id <= own[-1].id:
                self._complain(f"{promise} was accepted after {own[-1]}")
            own.append(promise)
            if chance.random() < REPEATED:
                self._ask_again(chance.choice(own))
            self._stop.wait(chance.uniform(0, self.pause))

    def _post(self, key: str, body: dict[str, Any]) -> Promise | None:
        """Post until it is accepted. None if it never was."""
        tried = False
        while not self._give_up.is_set():
            match self._call(key, body):
                case (202, answer):
                    return self._promised(key, body, answer)
                case (200, answer):
                    if not tried:
                        self._complain(f"{key} was new, but answered 200")
                    return self._promised(key, body, answer)
                case (503, answer):
                    self.refusals.append(answer["error"])
                case (status, answer):
                    self._complain(f"{key}: {status} {answer}")
                    return None
            tried = True
            self._give_up.wait(0.1)
        return None

    def _ask_again(self, before: Promise) -> None:
        """The same key and body give the same posting; the same key with another body gives 409."""
        match self._call(before.key, before.body):
            case None | (503, _):
                pass
            case (200, answer):
                self._promised(before.key, before.body, answer)
            case other:
                self._complain(f"{before} once more: {other}")
        match self._call(before.key, {**before.body, "room": "111"}):
            case None | (503, _):
                pass
            case (409, {"error": {"code": "key_reused"}}):
                pass
            case other:
                self._complain(f"{before} with another body: {other}")

    def _call(self, key: str, body: dict[str, Any]) -> tuple[int, Any] | None:
        answer = self.interface.call("POST", POSTINGS, body, {"Idempotency-Key": key})
        if answer is None:
            with self._lock:
                self.lost_answers += 1
        return answer

    def _promised(self, key: str, body: dict[str, Any], answer: dict[str, Any]) -> Promise:
        promise = Promise(key, body, answer["id"], str(answer["number"]))
        with self._lock:
            known = self.promises.setdefault(key, promise)
        if known != promise:
            self._complain(f"{known} became {promise}")
        return promise

    def _complain(self, what: str) -> None:
        self.complaints.append(what)


def _charge(chance: Random, count: int) -> dict[str, Any]:
    """A posting that no other of this client equals: its amount, digits or text count up."""
    room = UNKNOWN_ROOM if chance.random() < 0.03 else str(chance.randint(101, 110))
    match chance.randrange(4):
        case 0:
            call = {"type": "call", "room": room, "dialled": f"00{count + 1}", "duration": 60}
            return {**call, "amount": count + 1, "call_type": "I"}
        case 1:
            return {"type": "call", "room": room, "dialled": f"01{count + 1}", "duration": count % 3600}
        case 2:
            return {"type": "minibar", "room": room, "article": str(count % 9999), "count": 1}
        case _:
            return {"type": "charge", "room": room, "amount": count + 1, "outlet": "1", "text": f"No {count}"}
