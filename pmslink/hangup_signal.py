"""SIGHUP: it never ends the service, from the first moment on, and reloads the configuration."""

from __future__ import annotations

import signal
from collections.abc import Callable


class HangupSignal:
    """Handle SIGHUP, which a person sends to reload, and the kernel when a terminal is closed.

    A signal that arrives while the service starts is not lost: `connect` then calls back at once.
    """

    def __init__(self) -> None:
        self._is_pending = False
        self._callback: Callable[[], object] | None = None

    def install(self) -> None:
        """Handle SIGHUP in this process, which does not end any more when one arrives."""
        signal.signal(signal.SIGHUP, lambda number, frame: self._on_signal())

    def connect(self, callback: Callable[[], object]) -> None:
        """Call back at each signal. The callback interrupts any Python code, so it may only queue work."""
        self._callback = callback
        if self._is_pending:
            self._is_pending = False
            callback()

    def disconnect(self) -> None:
        """Ignore the signals from now on: the service stops."""
        self._callback, self._is_pending = None, False

    def _on_signal(self) -> None:
        if self._callback is None:
            self._is_pending = True
        else:
            self._callback()
