"""Frames are found in any stream, however it is cut, and every skipped byte is counted."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.testing import StringTransport

from pmslink.fias.framing import (
    ETX,
    FRAME_LIMIT_BYTES,
    STX,
    UNFRAMED_LIMIT_BYTES,
    FrameReceiver,
    Framing,
    SkipReason,
    framed,
)

LS, LA = b"LS|DA260101|TI080000|", b"LA|DA260101|TI080001|"
ACK, ENQ = b"\x06", b"\x05"
LONGEST = b"x" * FRAME_LIMIT_BYTES


class Receiver(FrameReceiver):
    """Collects received frames and skipped bytes."""

    def __init__(self, framing: Framing = "stx-etx", pause_after: int = -1) -> None:
        super().__init__(framing)
        self.frames: list[bytes] = []
        self.skips: list[tuple[SkipReason, int]] = []
        self.unframed = 0
        self._pause_after = pause_after
        self.makeConnection(StringTransport())  # type: ignore[no-untyped-call]

    def frameReceived(self, frame: bytes) -> None:
        self.frames.append(frame)
        if len(self.frames) == self._pause_after:
            self.pauseProducing()  # type: ignore[no-untyped-call]

    def skipped(self, reason: SkipReason, size: int) -> None:
        self.skips.append((reason, size))

    def nothingFramed(self) -> None:
        self.unframed += 1


def received(*chunks: bytes, framing: Framing = "stx-etx") -> Receiver:
    receiver = Receiver(framing)
    for chunk in chunks:
        receiver.dataReceived(chunk)
    return receiver


def pieces(stream: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Split a stream at these positions."""
    cut_positions = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return [stream[begin:end] for begin, end in pairwise(cut_positions)]


BYTES = st.binary(max_size=30)
TEXTS = BYTES.map(lambda text: text.translate(None, STX + ETX + b"\r\n"))
LONG = st.integers(FRAME_LIMIT_BYTES - 3, FRAME_LIMIT_BYTES + 3).map(lambda size: b"y" * size)
STREAMS = st.lists(
    st.one_of(
        TEXTS.map(lambda text: framed(text, "stx-etx")),
        BYTES,
        LONG,
        LONG.map(lambda text: STX + text),
        LONG.map(lambda text: STX + b"GI|" + text[4:]),
        st.just(STX + b"GI|RN1|"),
        st.just(STX + b"G"),
        st.just(STX + b"LA|"),
        st.just(STX + b"ZZ|"),
        st.just(ETX),
    ),
    max_size=8,
).map(b"".join)


def test_a_frame_is_a_record_between_stx_and_etx() -> None:
    assert framed(LS, "stx-etx") == b"\x02LS|DA260101|TI080000|\x03"
    assert framed(LS, "crlf") == LS + b"\r\n"


def test_one_read_can_contain_several_frames_or_a_part_of_one() -> None:
    stream = framed(LS, "stx-etx") + framed(LA, "stx-etx")
    assert received(stream).frames == [LS, LA]
    assert received(*pieces(stream, range(len(stream)))).frames == [LS, LA]
    assert received(stream[:-1]).frames == [LS]


@given(STREAMS, st.lists(st.integers(min_value=0), max_size=6))
def test_the_frames_do_not_depend_on_how_the_stream_is_cut(stream: bytes, cuts: list[int]) -> None:
    assert received(*pieces(stream, cuts)).frames == received(stream).frames


@given(STREAMS, st.lists(st.integers(min_value=0), max_size=6))
def test_every_byte_of_a_stream_is_in_a_frame_or_counted(stream: bytes, cuts: list[int]) -> None:
    receiver = received(*pieces(stream, cuts), ETX)
    in_frames = sum(len(framed(frame, "stx-etx")) for frame in receiver.frames)
    assert in_frames + sum(size for _, size in receiver.skips) == len(stream + ETX)
    assert all(size > 0 for _, size in receiver.skips)


@given(st.lists(TEXTS), st.lists(st.integers(min_value=0), max_size=6))
def test_frames_are_received_as_sent(texts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(framed(text, "stx-etx") for text in texts)
    receiver = received(*pieces(stream, cuts))
    assert (receiver.frames, receiver.skips) == (texts, [])


@given(st.lists(TEXTS.filter(bool)), st.lists(st.integers(min_value=0), max_size=6))
def test_lines_are_received_as_sent(texts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(framed(text, "crlf") for text in texts)
    receiver = received(*pieces(stream, cuts), framing="crlf")
    assert (receiver.frames, receiver.skips) == (texts, [])


@pytest.mark.parametrize(
    ("between", "skips"),
    [
        (ACK, [("noise", 1)]),
        (ENQ + ACK, [("noise", 2)]),
        (b"\r\n", [("noise", 2)]),
        (b"\x66", [("noise", 1)]),
        # LRC may be any byte, also one that marks a frame
        (STX, [("torn", 1)]),
        (ETX, [("noise", 1)]),
        # a frame without an end
        (STX + b"GI|RN1", [("torn", 7)]),
        (b"GI|RN1", [("noise", 6)]),
        (b"GI|RN1" + ETX, [("noise", 7)]),
        (ACK + STX + b"GI" + STX + b"G", [("noise", 1), ("torn", 5)]),
    ],
)
def test_bytes_between_frames_are_skipped_and_counted(between: bytes, skips: list[tuple[str, int]]) -> None:
    receiver = received(framed(LS, "stx-etx") + between + framed(LA, "stx-etx"))
    assert (receiver.frames, receiver.skips) == ([LS, LA], skips)


@pytest.mark.parametrize(
    "record",
    [
        b"GI|RN101|G#1|GN\x02Anna|GSN|",
        b"GI|RN101|G#1|GNAnna|\x02",
        b"GI|RN101|G#1|GNAnna|\x02GS|\x02N|",
        b"GI|RN101|G#1|GN\x02LA\x02\x02|",
    ],
)
def test_d17_an_stx_inside_a_record_does_not_lose_it(record: bytes) -> None:
    stream = framed(record, "stx-etx") + framed(LA, "stx-etx")
    for receiver in (received(stream), received(*pieces(stream, range(len(stream))))):
        assert (receiver.frames, receiver.skips) == ([record, LA], [])


def test_d17_an_overlong_record_with_an_stx_inside_is_skipped_as_one() -> None:
    overlong = b"GI|GN" + LONGEST + STX + b"x" * 50 + STX + b"GI"
    stream = framed(overlong, "stx-etx")
    whole = received(stream + framed(LA, "stx-etx"))
    assert (whole.frames, whole.skips) == ([LA], [("overlong", len(stream))])
    for size in range(len(stream) - 60, len(stream)):
        receiver = received(stream[:size], stream[size:], framed(LA, "stx-etx"))
        assert receiver.frames == [LA]
        assert receiver.skips[0][0] == "overlong"


def test_the_longest_frame_is_received_in_one_read_and_in_pieces() -> None:
    stream = framed(LONGEST, "stx-etx") + framed(LA, "stx-etx")
    for receiver in (
        received(stream),
        received(stream[:-30], stream[-30:]),
        received(stream[:9000], stream[9000:]),
    ):
        assert (receiver.frames, receiver.skips) == ([LONGEST, LA], [])


def test_the_longest_frame_is_received_after_noise() -> None:
    stream = ACK * 5 + framed(LONGEST, "stx-etx")
    for receiver in (received(stream), received(stream[:-1], stream[-1:])):
        assert (receiver.frames, receiver.skips) == ([LONGEST], [("noise", 5)])


def test_a_longer_frame_is_skipped_up_to_the_next() -> None:
    overlong = framed(LONGEST + b"x", "stx-etx")
    good = framed(LA, "stx-etx")
    complete = received(overlong + good)
    assert (complete.frames, complete.skips) == ([LA], [("overlong", len(overlong))])
    torn = received(overlong[:-1] + good)
    assert (torn.frames, torn.skips) == ([LA], [("overlong", len(overlong) - 1)])
    late_frames = received(overlong[:-1], b"y" * 99 + ETX, good)
    assert (late_frames.frames, late_frames.skips) == (
        [LA],
        [("overlong", len(overlong) - 1), ("noise", 100)],
    )


def test_noise_of_any_length_is_noise() -> None:
    assert received(LONGEST * 3, ETX).skips == [("noise", 3 * FRAME_LIMIT_BYTES), ("noise", 1)]


def test_a_mebibyte_without_a_frame_is_reported_once() -> None:
    receiver = received(*[b"x" * 65536] * (UNFRAMED_LIMIT_BYTES // 65536))
    assert receiver.unframed == 0
    receiver.dataReceived(b"x")
    assert receiver.unframed == 1
    receiver.dataReceived(b"x" * 65536)
    assert receiver.unframed == 1


@pytest.mark.parametrize("framing", ["stx-etx", "crlf"])
def test_a_frame_among_noise_resets_the_count(framing: Framing) -> None:
    good = framed(LA, framing)
    filling = framed(b"y" * (FRAME_LIMIT_BYTES + 2), framing) * 50
    assert received(filling, filling, framing=framing).unframed == 1
    receiver = received(filling, good, filling, framing=framing)
    assert (receiver.frames, receiver.unframed) == ([LA], 0)


def test_a_frame_after_torn_ones_resets_the_count() -> None:
    half = b"x" * (UNFRAMED_LIMIT_BYTES // 2)
    assert received(half, b"y" + framed(LA, "stx-etx"), half).unframed == 0


def test_a_pause_of_reading_delivers_nothing_and_loses_nothing() -> None:
    receiver = Receiver(pause_after=1)
    overlong = framed(LONGEST + b"x", "stx-etx")
    receiver.dataReceived(framed(LS, "stx-etx") + framed(LA, "stx-etx") + overlong)
    receiver.dataReceived(framed(LS, "stx-etx")[:5])
    receiver.dataReceived(framed(LS, "stx-etx")[5:])
    assert receiver.frames == [LS]
    receiver.resumeProducing()  # type: ignore[no-untyped-call]
    assert (receiver.frames, receiver.skips) == ([LS, LA, LS], [("overlong", len(overlong))])


def test_frames_after_an_overlong_one_wait_while_reading_is_paused() -> None:
    receiver = Receiver(pause_after=1)
    receiver.dataReceived(framed(LONGEST + b"x", "stx-etx") + framed(LS, "stx-etx") + framed(LA, "stx-etx"))
    assert receiver.frames == [LS]
    receiver.resumeProducing()  # type: ignore[no-untyped-call]
    assert receiver.frames == [LS, LA]


@pytest.mark.parametrize(
    "line",
    [LS + b"\r\n", LS + b"\n", STX + LS + ETX + b"\r\n", b"\r\n" + LS + b"\r\n", b"\n\n" + LS + b"\n"],
)
def test_the_line_dialect_accepts_any_end_of_line_and_stx_etx(line: bytes) -> None:
    receiver = received(line + LA + b"\r\n", framing="crlf")
    assert (receiver.frames, receiver.skips) == ([LS, LA], [])


def test_an_overlong_line_is_skipped_up_to_its_end() -> None:
    good = framed(LA, "crlf")
    assert received(LONGEST + b"\r\n" + good, framing="crlf").frames == [LONGEST, LA]
    overlong = LONGEST + b"xx\r\n"
    complete = received(overlong + good, framing="crlf")
    assert (complete.frames, complete.skips) == ([LA], [("overlong", len(overlong))])
    late_frames = received(LONGEST + b"xx", LONGEST + b"xx", b"tail\r\n" + good, framing="crlf")
    assert late_frames.frames == [LA]
    assert late_frames.skips == [
        ("overlong", FRAME_LIMIT_BYTES + 2),
        ("overlong", FRAME_LIMIT_BYTES + 2),
        ("overlong", 6),
    ]


def test_a_receiver_without_callbacks_keeps_reading() -> None:
    receiver = FrameReceiver()
    receiver.makeConnection(StringTransport())  # type: ignore[no-untyped-call]
    receiver.dataReceived(ACK + framed(LS, "stx-etx") + b"x" * (UNFRAMED_LIMIT_BYTES + 1))
