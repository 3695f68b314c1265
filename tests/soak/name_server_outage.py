"""Run `twistd` with a name server that can be switched off.

python -m tests.soak.name_server_outage FLAG_FILE twistd ARGUMENTS…

Every name below TEST_DOMAIN is this machine. While FLAG_FILE exists, lookups of these names get no answer.
"""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path
from typing import Any

from twisted.scripts.twistd import run

TEST_DOMAIN = ".hotel.test"
POLL_INTERVAL_S = 0.1

_system_getaddrinfo = socket.getaddrinfo


def main() -> None:
    """Replace the lookup of names, and run twistd."""
    flag, sys.argv = Path(sys.argv[1]), sys.argv[2:]

    def getaddrinfo(host: Any, *arguments: Any, **more: Any) -> Any:
        if not str(host).endswith(TEST_DOMAIN):
            return _system_getaddrinfo(host, *arguments, **more)
        while flag.exists():
            time.sleep(POLL_INTERVAL_S)
        return _system_getaddrinfo("127.0.0.1", *arguments, **more)

    socket.getaddrinfo = getaddrinfo
    run()


if __name__ == "__main__":
    main()
