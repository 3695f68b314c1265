"""Hints: habits of a PMS that a link has noticed, with the setting that would help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen

HintCode = Literal["framing", "charset", "sync_on", "clock", "alive_by", "tls", "records", "mirror"]


@frozen
class Hint:
    """A hint of the API: a code with the parameters of its text, which hold no guest data.

    `setting` and `value` are among the parameters where a setting would help.
    """

    code: HintCode
    params: Mapping[str, str | float | bool] = field(factory=dict)
