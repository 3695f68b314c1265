"""What a call costs, where the PBX prices calls and not the PMS. Amounts are in minor units."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from pmslink.validation.nested_settings import read_parts
from pmslink.validation.setting_fields import WrongPartError, about, matching_text, one_of, whole

CallType = Literal["L", "N", "I"]

MOST_RATES = 500
_LONGEST = 359_999
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
        default=0, metadata=whole("what the connection costs", 0, 100_000_000, "minor units")
    )
    interval: int = field(metadata=whole("what is charged at a time", 1, _LONGEST, "s"))
    price: int = field(metadata=whole("what each interval begun costs", 0, 100_000_000, "minor units"))
    free: int = field(default=0, metadata=whole("how much of each call costs nothing", 0, _LONGEST, "s"))
    call_type: CallType | None = field(
        default=None, metadata=one_of(CallType, "local, national or international; for the PMS")
    )


@frozen
class Priced:
    """What a call costs, and what kind of call it is, if the tariff tells."""

    amount: int
    call_type: CallType | None


def _read_rates(raw: object) -> tuple[Rate, ...]:
    if not isinstance(raw, list) or not 1 <= len(raw) <= MOST_RATES:
        raise ValueError
    rates: dict[str, Rate] = {}
    for number, one in enumerate(raw, 1):
        try:
            rate = read_parts(Rate, one, f"rates.{number}.")
        except WrongPartError:
            raise
        except ValueError:
            raise WrongPartError(
                f"rates.{number}", one, "must be a table of prefix, interval, price"
            ) from None
        if rate.prefix in rates:
            raise WrongPartError(f"rates.{number}.prefix", rate.prefix, "must not be that of another rate")
        rates[rate.prefix] = rate
    return tuple(rates.values())


@frozen(kw_only=True)
class Tariff:
    """What calls cost, by the number that is dialled."""

    rounding: int = field(
        default=1,
        metadata=whole("amounts are rounded up to a multiple of this", 1, 1_000_000, "minor units"),
    )
    rates: tuple[Rate, ...] = field(
        metadata=about(
            "what calls cost, by what their numbers begin with",
            f"a list of 1 to {MOST_RATES} rates, counted from 1",
            _read_rates,
        )
    )

    def price(self, dialled: str, duration: int) -> Priced | None:
        """What a call of so many seconds to these digits costs; None if no rate is for that number."""
        fitting = [rate for rate in self.rates if dialled.startswith(rate.prefix)]
        if not fitting:
            return None
        rate = max(fitting, key=lambda rate: len(rate.prefix))
        if duration <= rate.free:  # nothing is free of a rate without; then it is a call that nobody took
            return Priced(0, rate.call_type)
        amount = rate.connection + rate.price * _begun(duration - rate.free, rate.interval)
        return Priced(_begun(amount, self.rounding) * self.rounding, rate.call_type)


def _begun(whole: int, part: int) -> int:
    """How many parts of this size are begun in the whole. Exact, unlike math.ceil of a quotient."""
    return -(-whole // part)


def read_tariff(raw: object) -> Tariff:
    """The tariff of a table. Raises ValueError, and WrongPartError for what is wrong in it."""
    return read_parts(Tariff, raw)
