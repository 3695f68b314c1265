"""Rate limit for invalid tokens, by the client's network."""

from __future__ import annotations

from collections import deque

from twisted.internet.interfaces import IReactorTime

MAX_FAILED_LOGINS = 10
"""Invalid tokens that one network may send within the window."""
FAILED_LOGIN_WINDOW_S = 300.0
"""Length of the window."""
MAX_TRACKED_NETWORKS = 1000
"""Networks with recent failures in memory; above that, the one with the oldest last failure is dropped."""


class FailedLoginLimiter:
    """Count failed logins by network. While a network is over the limit, its failures are not counted."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._failure_times_by_network: dict[str, deque[float]] = {}

    def __len__(self) -> int:
        return len(self._failure_times_by_network)

    def record_failure(self, network: str) -> None:
        """Count an invalid token from this network."""
        failure_times = self._failure_times_by_network.pop(network, None) or deque(maxlen=MAX_FAILED_LOGINS)
        failure_times.append(self._clock.seconds())
        self._failure_times_by_network[network] = failure_times  # last in order, as the newest failure
        if len(self) > MAX_TRACKED_NETWORKS:
            del self._failure_times_by_network[next(iter(self._failure_times_by_network))]

    def attempts_left(self, network: str) -> int:
        """Return how many more invalid tokens this network may send now."""
        begin = self._clock.seconds() - FAILED_LOGIN_WINDOW_S
        failure_times = self._failure_times_by_network.get(network, ())
        return MAX_FAILED_LOGINS - sum(time > begin for time in failure_times)

    def retry_after_s(self, network: str) -> float:
        """Return the seconds until this network may try again; 0 if it may now."""
        failure_times = self._failure_times_by_network.get(network)
        if failure_times is None or len(failure_times) < MAX_FAILED_LOGINS:
            return 0.0
        return max(0.0, failure_times[0] + FAILED_LOGIN_WINDOW_S - self._clock.seconds())
