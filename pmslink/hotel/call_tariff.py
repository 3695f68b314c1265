"""What a call costs, where the PBX prices calls and not the PMS. Amounts are in minor units."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from pmslink.validation.nested_settings import parse_nested
from pmslink.validation.setting_fields import choice, integer, matching_text, setting_metadata
from pmslink.validation.validators import NestedValueError

CallType = Literal["L", "N", "I"]

MAX_RATES = 500
_MAX_CALL_S = 359_999
"""Seconds of the longest call that FIAS can tell of. The dearest costs less than the 10^14 of an amount."""


@frozen(kw_only=True)
class Rate:
    """What calls to the numbers cost that begin alike."""

    prefix: str = field(
        metadata=matching_text(
            "what the dialled number begins with; the longest that fits holds",
            "text of 0 to 20 digits; without any, it holds for all numbers that no other rate is for",
            "[0-9]{0,20}",
        )
    )
    connection: int = field(
        default=0, metadata=integer("what the connection costs", 0, 100_000_000, "minor units")
    )
    interval: int = field(metadata=integer("what is charged at a time", 1, _MAX_CALL_S, "s"))
    price: int = field(metadata=integer("what each interval begun costs", 0, 100_000_000, "minor units"))
    free: int = field(default=0, metadata=integer("how much of each call costs nothing", 0, _MAX_CALL_S, "s"))
    call_type: CallType | None = field(
        default=None, metadata=choice(CallType, "local, national or international; for the PMS")
    )


@frozen
class CallPrice:
    """What a call costs, and what kind of call it is, if the tariff tells."""

    amount: int
    call_type: CallType | None


def _parse_rates(raw: object) -> tuple[Rate, ...]:
    if not isinstance(raw, list) or not 1 <= len(raw) <= MAX_RATES:
        raise ValueError
    rates: dict[str, Rate] = {}
    for number, one in enumerate(raw, 1):
        try:
            rate = parse_nested(Rate, one, f"rates.{number}.")
        except NestedValueError:
            raise
        except ValueError:
            raise NestedValueError(
                f"rates.{number}", one, "must be a table of prefix, interval, price"
            ) from None
        if rate.prefix in rates:
            raise NestedValueError(f"rates.{number}.prefix", rate.prefix, "must not be that of another rate")
        rates[rate.prefix] = rate
    return tuple(rates.values())


@frozen(kw_only=True)
class Tariff:
    """What calls cost, by the number that is dialled."""

    rounding: int = field(
        default=1,
        metadata=integer("amounts are rounded up to a multiple of this", 1, 1_000_000, "minor units"),
    )
    rates: tuple[Rate, ...] = field(
        metadata=setting_metadata(
            "what calls cost, by what their numbers begin with",
            f"a list of 1 to {MAX_RATES} rates, counted from 1",
            _parse_rates,
        )
    )

    def price(self, dialled: str, duration: int) -> CallPrice | None:
        """What a call of so many seconds to these digits costs; None if no rate is for that number."""
        fitting = [rate for rate in self.rates if dialled.startswith(rate.prefix)]
        if not fitting:
            return None
        rate = max(fitting, key=lambda rate: len(rate.prefix))
        if duration <= rate.free:  # nothing is free of a rate without; then it is a call that nobody took
            return CallPrice(0, rate.call_type)
        amount = rate.connection + rate.price * _divide_rounding_up(duration - rate.free, rate.interval)
        return CallPrice(_divide_rounding_up(amount, self.rounding) * self.rounding, rate.call_type)


def _divide_rounding_up(dividend: int, divisor: int) -> int:
    """How many parts of this size are begun in the whole. Exact, unlike math.ceil of a quotient."""
    return -(-dividend // divisor)


def parse_tariff(raw: object) -> Tariff:
    """The tariff of a table. Raises ValueError, and NestedValueError for what is wrong in it."""
    return parse_nested(Tariff, raw)
