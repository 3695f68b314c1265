"""The prices of calls."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmslink.hotel.call_tariff import MAX_RATES, CallPrice, Rate, Tariff, parse_tariff

LONGEST = 359_999
AMOUNTS = st.integers(0, 100_000_000)
SECONDS = st.integers(0, LONGEST)
DIALLED = st.text("0123", min_size=1, max_size=20)
RATES = st.builds(
    Rate,
    prefix=st.text("0123", max_size=3),
    connection=AMOUNTS,
    interval=st.integers(1, LONGEST),
    price=AMOUNTS,
    free=SECONDS,
    call_type=st.sampled_from(["L", "N", "I", None]),
)
TARIFFS = st.builds(
    Tariff,
    rounding=st.integers(1, 1_000_000),
    rates=st.lists(RATES, min_size=1, max_size=8, unique_by=lambda rate: rate.prefix).map(tuple),
)


def price(dialled: str, duration: int, *rates: dict[str, Any], rounding: int = 1) -> CallPrice | None:
    usual = {"prefix": "", "interval": 60, "price": 10}
    return parse_tariff({"rounding": rounding, "rates": [usual | rate for rate in rates]}).price(
        dialled, duration
    )


@pytest.mark.parametrize(
    ("duration", "amount"),
    [(0, 0), (1, 30), (60, 30), (61, 40), (120, 40), (121, 50)],
)
def test_each_interval_begun_is_charged_on_top_of_the_connection(duration: int, amount: int) -> None:
    assert price("0043", duration, {"connection": 20}) == CallPrice(amount, None)


@pytest.mark.parametrize(("duration", "amount"), [(0, 0), (5, 0), (6, 30), (65, 30), (66, 40)])
def test_free_time_is_neither_charged_nor_counted(duration: int, amount: int) -> None:
    assert price("0043", duration, {"connection": 20, "free": 5}) == CallPrice(amount, None)


@pytest.mark.parametrize(("duration", "amount"), [(0, 0), (60, 50), (300, 50), (301, 100)])
def test_amounts_are_rounded_up(duration: int, amount: int) -> None:
    assert price("0043", duration, {}, rounding=50) == CallPrice(amount, None)


def test_the_longest_matching_prefix_applies_at_any_position() -> None:
    rates: list[dict[str, Any]] = [
        {"prefix": "00", "price": 2, "call_type": "I"},
        {"prefix": "", "price": 1, "call_type": "L"},
        {"prefix": "0043", "price": 4, "call_type": "N"},
        {"prefix": "00436", "price": 5},
    ]
    for order in (rates, rates[::-1]):
        assert price("0043123", 1, *order) == CallPrice(4, "N")
        assert price("00436", 1, *order) == CallPrice(5, None)
        assert price("0044", 1, *order) == CallPrice(2, "I")
        assert price("0", 1, *order) == CallPrice(1, "L")


def test_a_number_without_a_rate_has_no_price() -> None:
    assert price("0043", 60, {"prefix": "0044"}) is None
    assert price("004", 60, {"prefix": "0044"}) is None


def test_a_rate_of_zero_is_a_price() -> None:
    assert price("0800", 60, {"price": 0}) == CallPrice(0, None)


def test_a_tariff_can_have_the_maximum_number_of_rates() -> None:
    rates = [{"prefix": str(number)} for number in range(MAX_RATES)]
    assert price("499", 1, *rates) == CallPrice(10, None)


@given(TARIFFS, DIALLED, SECONDS)
def test_the_price_follows_from_the_rates(tariff: Tariff, dialled: str, duration: int) -> None:
    by_prefix = {rate.prefix: rate for rate in tariff.rates}
    found = [by_prefix[dialled[:end]] for end in range(len(dialled), -1, -1) if dialled[:end] in by_prefix]
    priced = tariff.price(dialled, duration)
    if not found:
        assert priced is None
        return
    assert priced is not None
    rate = found[0]
    assert priced.call_type == rate.call_type
    exact = 0
    if duration > rate.free:
        exact = rate.connection + rate.price * ceil(Fraction(duration - rate.free, rate.interval))
    assert priced.amount % tariff.rounding == 0
    assert exact <= priced.amount < exact + tariff.rounding


@given(TARIFFS, DIALLED, SECONDS, SECONDS)
def test_a_longer_call_is_never_cheaper(tariff: Tariff, dialled: str, one: int, other: int) -> None:
    shorter, longer = (tariff.price(dialled, duration) for duration in sorted((one, other)))
    assert (shorter is None) is (longer is None)
    assert shorter is None or longer is None or shorter.amount <= longer.amount


@given(TARIFFS, DIALLED, SECONDS, st.randoms())
def test_the_order_of_the_rates_does_not_matter(
    tariff: Tariff, dialled: str, duration: int, dice: Any
) -> None:
    rates = list(tariff.rates)
    dice.shuffle(rates)
    shuffled = Tariff(rounding=tariff.rounding, rates=tuple(rates))
    assert shuffled.price(dialled, duration) == tariff.price(dialled, duration)


def test_the_most_expensive_call_fits_into_a_record() -> None:
    most = {"connection": 10**8, "interval": 1, "price": 10**8}
    priced = price("1", LONGEST, most, rounding=10**6)
    assert priced is not None
    assert priced.amount <= 10**14
