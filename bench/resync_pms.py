"""A PMS, run as a separate process, that answers DR with resyncs as fast as TCP accepts them.

python -m bench.resync_pms PORT ROOMS RESYNCS
"""

from __future__ import annotations

import re
import socket
import sys
from contextlib import suppress

STX, ETX = b"\x02", b"\x03"
STAMP_FIELDS = b"DA261125|TI140000|"
RECEIVE_BYTES = 65536


def build_frames(*records: bytes) -> bytes:
    """Return the records in their frames."""
    return b"".join(STX + record + ETX for record in records)


def build_resync(rooms: int) -> bytes:
    """Return the frames of a resync; every third room is vacant."""
    records = [
        b"GO|RN%d|SF|" % room
        if room % 3 == 0
        else b"GI|RN%d|G#%d|GSN|GNAdamson-Smith|GFAnnabel|GTMrs|GLEA|GA261120|GD261127|CS2|SF|" % (room, room)
        for room in range(1000, 1000 + rooms)
    ]
    return build_frames(b"DS|" + STAMP_FIELDS, *records, b"DE|" + STAMP_FIELDS)


def serve(connection: socket.socket, resyncs: bytes) -> None:
    """Answer the PBX until it closes the connection."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(build_frames(b"LS|" + STAMP_FIELDS))
    incomplete_frame = b""
    while data := connection.recv(RECEIVE_BYTES):
        *frames, incomplete_frame = (incomplete_frame + data).split(ETX)
        for record_id in re.findall(rb"\x02(..)", b"".join(frames)):
            if record_id in (b"LA", b"LS"):  # the end of a link description, or a link check
                connection.sendall(build_frames(b"LA|" + STAMP_FIELDS))
            elif record_id == b"DR":
                connection.sendall(resyncs)


def main(port: str, rooms: str, resync_count: str) -> None:
    """Serve one PBX after the other, until the process is terminated."""
    resyncs = build_resync(int(rooms)) * int(resync_count)
    with socket.create_server(("127.0.0.1", int(port))) as server:
        while True:
            connection, _ = server.accept()
            with connection, suppress(ConnectionError):
                serve(connection, resyncs)


if __name__ == "__main__":
    main(*sys.argv[1:])
