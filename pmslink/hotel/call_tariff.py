"""Call prices, for hotels whose calls are priced by pmslink and not by the PMS. Amounts: minor units."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from pmslink.validation.nested_settings import parse_nested
from pmslink.validation.setting_fields import choice, integer, matching_text, setting_metadata
from pmslink.validation.validators import NestedValueError

CallType = Literal["L", "N", "I"]

MAX_RATES = 500
_MAX_CALL_S = 359_999
"""Duration of the longest call that DU can carry. Its highest price is below the maximum amount, 10^14."""


@frozen(kw_only=True)
class Rate:
    """The price of calls to all numbers with one prefix; times in seconds."""

    prefix: str = field(
        metadata=matching_text(
            "prefix of the dialled number; the longest matching prefix applies",
            "text of 0 to 20 digits; an empty prefix matches every number",
            "[0-9]{0,20}",
        )
    )
    connection: int = field(
        default=0, metadata=integer("price of the connection", 0, 100_000_000, "minor units")
    )
    interval: int = field(metadata=integer("length of a charging interval", 1, _MAX_CALL_S, "s"))
    price: int = field(metadata=integer("price of each interval begun", 0, 100_000_000, "minor units"))
    free: int = field(default=0, metadata=integer("free time at the start of each call", 0, _MAX_CALL_S, "s"))
    call_type: CallType | None = field(
        default=None, metadata=choice(CallType, "call type for the PMS: local, national or international")
    )


@frozen
class CallPrice:
    """The price of a call, and its call type if the rate has one."""

    amount: int
    call_type: CallType | None


def _parse_rates(raw: object) -> tuple[Rate, ...]:
    if not isinstance(raw, list) or not 1 <= len(raw) <= MAX_RATES:
        raise ValueError
    rates: dict[str, Rate] = {}
    for number, raw_rate in enumerate(raw, 1):
        try:
            rate = parse_nested(Rate, raw_rate, f"rates.{number}.")
        except NestedValueError:
            raise
        except ValueError:
            raise NestedValueError(
                f"rates.{number}", raw_rate, "must be a table of prefix, interval, price"
            ) from None
        if rate.prefix in rates:
            raise NestedValueError(f"rates.{number}.prefix", rate.prefix, "must not be that of another rate")
        rates[rate.prefix] = rate
    return tuple(rates.values())


@frozen(kw_only=True)
class Tariff:
    """The price list for calls, by the dialled number."""

    rounding: int = field(
        default=1,
        metadata=integer("amounts are rounded up to a multiple of this", 1, 1_000_000, "minor units"),
    )
    rates: tuple[Rate, ...] = field(
        metadata=setting_metadata(
            "prices of calls, by the prefix of the dialled number",
            f"a list of 1 to {MAX_RATES} rates, counted from 1",
            _parse_rates,
        )
    )

    def price(self, dialled: str, duration: int) -> CallPrice | None:
        """Compute the price of a call of `duration` seconds; None if no rate matches the dialled digits."""
        matching = [rate for rate in self.rates if dialled.startswith(rate.prefix)]
        if not matching:
            return None
        rate = max(matching, key=lambda rate: len(rate.prefix))
        if duration <= rate.free:  # an unanswered call has duration 0 and is free
            return CallPrice(0, rate.call_type)
        amount = rate.connection + rate.price * _divide_rounding_up(duration - rate.free, rate.interval)
        return CallPrice(_divide_rounding_up(amount, self.rounding) * self.rounding, rate.call_type)


def _divide_rounding_up(dividend: int, divisor: int) -> int:
    """Divide and round up, exactly; math.ceil of a float would not be exact."""
    return -(-dividend // divisor)


def parse_tariff(raw: object) -> Tariff:
    """Parse a tariff from a TOML table or JSON object.

    Raises NestedValueError, which names the invalid value, and ValueError if `raw` is no table.
    """
    return parse_nested(Tariff, raw)
