"""A PMS, in this process of its own, that answers DR with resyncs as fast as TCP takes them.

python -m bench.resync_pms PORT ROOMS RESYNCS
"""

from __future__ import annotations

import re
import socket
import sys
from contextlib import suppress

STX, ETX = b"\x02", b"\x03"
STAMP_FIELDS = b"DA261125|TI140000|"


def build_frames(*records: bytes) -> bytes:
    return b"".join(STX + record + ETX for record in records)


def build_resync(rooms: int) -> bytes:
    """Every third room is vacant."""
    told = [
        b"GO|RN%d|SF|" % room
        if room % 3 == 0
        else b"GI|RN%d|G#%d|GSN|GNAdamson-Smith|GFAnnabel|GTMrs|GLEA|GA261120|GD261127|CS2|SF|" % (room, room)
        for room in range(1000, 1000 + rooms)
    ]
    return build_frames(b"DS|" + STAMP_FIELDS, *told, b"DE|" + STAMP_FIELDS)


def serve(connection: socket.socket, burst: bytes) -> None:
    """Until the other side closes."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(build_frames(b"LS|" + STAMP_FIELDS))
    came = b""
    while data := connection.recv(65536):
        *whole, came = (came + data).split(ETX)
        for id in re.findall(rb"\x02(..)", b"".join(whole)):
            if id in (b"LA", b"LS"):  # the end of a description, or a link check
                connection.sendall(build_frames(b"LA|" + STAMP_FIELDS))
            elif id == b"DR":
                connection.sendall(burst)


def main(port: str, rooms: str, resyncs: str) -> None:
    burst = build_resync(int(rooms)) * int(resyncs)
    with socket.create_server(("127.0.0.1", int(port))) as server:
        while True:
            connection, _ = server.accept()
            with connection, suppress(ConnectionError):
                serve(connection, burst)


if __name__ == "__main__":
    main(*sys.argv[1:])
