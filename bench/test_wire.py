"""The cost of parsing a record, against bare string operations."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from pmslink.fias.record import Record

CHECK_IN = (
    b"GI|RN0101|G#500123|GSN|GNAdamson-Smith|GFAnnabel|GTMrs|GLEA|GV2|GGTOUR12|GA261120|GD261127|"
    b"CS2|DA261120|TI140000|"
)


@pytest.mark.benchmark(group="a check-in of 14 fields, bytes to fields (at most 1.5 times)")
class TestRecord:
    def test_bare_split_and_slices(self, benchmark: BenchmarkFixture) -> None:
        benchmark(lambda: [(part[:2], part[2:]) for part in CHECK_IN.decode("cp1252").split("|")])

    def test_pmslink_record(self, benchmark: BenchmarkFixture) -> None:
        fields = benchmark(lambda: Record(CHECK_IN.decode("cp1252", "replace")).fields)
        assert len(fields) == 14
