"""Whether two names are those of one guest."""

from __future__ import annotations

import unicodedata

from pmslink.hotel.rooms import Guest


def is_named(guest: Guest) -> bool:
    """Check whether anything is known of the name of a guest."""
    return bool(_words_of(guest))


def is_same_guest(by_hand: Guest, of_pms: Guest) -> bool:
    """Check whether a guest of the PMS is the one whom a person has checked in by hand.

    Upper and lower case, accents and the order of the words of the names do not matter, nor does it matter
    if one side has fewer of them. A guest of whose name nothing is known is nobody's equal: what one guest
    has consumed would be charged to another.
    """
    words, words_of_pms = _words_of(by_hand), _words_of(of_pms)
    if not words or not words_of_pms:
        return False
    return words <= words_of_pms or words_of_pms <= words


def words_of_name(text: str) -> frozenset[str]:
    """Return the words of a name that are compared: letters and digits, without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = (char for char in decomposed if not unicodedata.combining(char))
    return frozenset("".join(char if char.isalnum() else " " for char in plain).split())


def _words_of(guest: Guest) -> frozenset[str]:
    return words_of_name(f"{guest.name or ''} {guest.first_name or ''}")
