"""The outbox under random failure: what was accepted, what the PMS got, and what the database says of it.

Whatever happens is one line of HAPPENINGS. Hypothesis plays short lives and shortens those that fail;
walks with fixed dice play more, until every change of state that is allowed has been seen.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from attrs import frozen
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pmslink.link import backoff, link_checks
from tests.link.outbox_actions import OutboxActions
from tests.link.outbox_harness import OutboxSettings

EDGES = {
    ("", "pending"),
    ("pending", "sent"),
    ("pending", "done"),  # a late OK
    ("pending", "discarded"),
    ("pending", "unknown"),  # too late to wake anybody, though a person wants it
    ("sent", "done"),
    ("sent", "refused"),
    ("sent", "unknown"),
    ("sent", "pending"),  # RY, NA; or it was not said after all
    ("unknown", "sent"),
    ("unknown", "done"),
    ("unknown", "refused"),
    ("unknown", "pending"),  # late RY or NA; or a person wants it
    ("unknown", "unknown"),  # too late to wake anybody
    ("unknown", "discarded"),
    ("refused", "pending"),
    ("refused", "discarded"),
    ("discarded", "done"),
}
"""From state to state, as a row may change."""

FAULTS: list[dict[str, Any]] = [
    {},
    {},
    {},
    {"pa_skip": 1},
    {"pa_skip": 3},
    {"pa_never": True},
    {"pa_delay": 1.0},
    {"pa_delay": 2.0},
    {"pa_delay": 2.5},
    {"pa_delay": 6.0},
    {"pa_delay": 2.5, "pa_answer": "NG"},
    {"pa_delay": 2.5, "pa_answer": "RY"},
    {"pa_without_number": True},
    {"pa_out_of_order": True},
    {"pa_answer": "NG"},
    {"pa_answer": "RY"},
    {"pa_answer": "NA"},
    {"pa_answer": "UR"},
    {"drop_after": 15},
    {"drop_after": 18},
    {"dr_ignored": True},
    {"de_missing": True},
    {"never_la": True},
    {"la_for_la": True},
    {"ls_unanswered": True},
    {"ls_every": 1},
    {"remember_declaration": True, "no_ls": True},
    {"frozen": True},
]


@frozen
class Happening:
    """A method of the world, how often it comes, and what may be handed to it."""

    name: str
    weight: float
    choices: dict[str, list[Any]]


def _happening(name: str, weight: float, /, **choices: list[Any]) -> Happening:
    return Happening(name, weight, choices)


HAPPENINGS = [
    _happening("post", 12, room=[0, 0, 0, 1, 2], key=[False, True], euro=[False, False, True]),
    _happening("repeat_post", 2, back=[0, 1, 2], other=[False, True]),
    _happening("update_room", 4, room=[0, 1], field=["RS", "VM"], value=[1, 2, 3]),
    _happening("add_wake_up", 4, record=["WR", "WC", "WA"], room=[0, 1], ahead=[3.0, 3.0, 60.0, 172_800.0]),
    _happening("run_one_timer", 25),
    _happening("run_to_next_timer", 25),
    _happening("wait", 8, seconds=[0.0, 0.0, 0.0625, 0.25, 2.0, 5.0, 31.0]),
    _happening("wait", 0.3, seconds=[610.0, 901.0]),
    _happening("idle_for_a_day", 0.05),
    _happening("set_pms_faults", 6, faults=FAULTS),
    _happening(
        "set_network",
        3,
        mode=["accept"] * 5 + ["refuse", "stall", "black hole"],
        latency=[0.0, 0.0, 0.0625, 0.75],
    ),
    _happening(
        "trigger_pms",
        5,
        action=["LE", "drop", "LS", "DS to DE", "DS", "DE", "night audit", "end of night audit", "WR"],
    ),
    _happening(
        "send_late_answer", 3, overdue=[True, True, False], back=[0, 0, 1], status=["OK", "OK", "NG", "RY"]
    ),
    _happening("set_disk_full", 2, full=[False, False, True]),
    _happening("restart", 2, mode=["stopped", "killed", "killed behind a commit"]),
    _happening("control", 2, action=["disconnect", "disable", *["enable"] * 6]),
    _happening("set_charset", 0.7, charset=["cp1252", "cp850"]),
    _happening("operator_action", 5, action=["resend", "discard"], back=[0, 0, 1, 2]),
]
RULES: dict[str, list[Any]] = {
    "unanswered": ["resend", "hold"],
    "send_limit": [1, 2, 3],
    "digits": [1, 4, 8],
    "outbox_limit": [5, 1000],
    "answer_timeout": [2.0],
}

LIVES = 20
MOST_LIVES = 100
"""So many more are played at most, if there is a way that was not taken yet."""
STEPS = 150


def test_a_row_takes_every_way_that_is_allowed_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    edges: Counter[tuple[str, str]] = Counter()
    for seed in range(MOST_LIVES):
        if seed >= LIVES and set(edges) >= EDGES:
            break
        edges += _one_life(Random(seed), monkeypatch)
    assert set(edges) == EDGES, edges


def _one_life(dice: Random, monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, str]]:
    """A walk by dice. What happens is printed, so that a failing one can be played by hand."""
    for module in (link_checks, backoff):  # the jitter comes from the same dice
        monkeypatch.setattr(module, "random", dice)
    rules = {name: dice.choice(choices) for name, choices in RULES.items()}
    print(f"world = World(Rules(**{rules}))")
    world = OutboxActions(OutboxSettings(**rules))
    for happening in dice.choices(HAPPENINGS, [one.weight for one in HAPPENINGS], k=STEPS):
        given = {name: dice.choice(choices) for name, choices in happening.choices.items()}
        print(f"world.{happening.name}(**{given})")
        getattr(world, happening.name)(**given)
        world.check()
    world.recover()
    return world.model.state_changes


class ShortLife(RuleBasedStateMachine):
    """What Hypothesis plays; its rules are the happenings."""

    @initialize(rules=st.fixed_dictionaries({name: st.sampled_from(of) for name, of in RULES.items()}))
    def begin(self, rules: dict[str, Any]) -> None:
        self.world = OutboxActions(OutboxSettings(**rules))

    @invariant()
    def judge(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.recover()


def _rule(happening: Happening) -> Any:
    def happens(life: ShortLife, **given: Any) -> None:
        getattr(life.world, happening.name)(**given)

    happens.__name__ = happening.name
    choices: Any = {name: st.sampled_from(choices) for name, choices in happening.choices.items()}
    made: Any = rule(**choices)
    return made(happens)


for _number, _one in enumerate(HAPPENINGS):
    setattr(ShortLife, f"{_one.name}_{_number}", _rule(_one))

ShortLife.TestCase.settings = settings(
    max_examples=10,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
test_short_lives = ShortLife.TestCase
