"""The outbox under random failures: accepted rows, rows that the PMS received, and the database agree.

Each line of ACTIONS is one action. Hypothesis makes short runs and shrinks those that fail. Runs with a
fixed seed make more, until every allowed change of state has been seen.
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

ALLOWED_STATE_CHANGES = {
    ("", "pending"),
    ("pending", "sent"),
    ("pending", "done"),  # a late OK
    ("pending", "discarded"),
    ("pending", "unknown"),  # too late for the wake-up, though a user has it sent again
    ("sent", "done"),
    ("sent", "refused"),
    ("sent", "unknown"),
    ("sent", "pending"),  # RY, NA; or it was not said after all
    ("unknown", "sent"),
    ("unknown", "done"),
    ("unknown", "refused"),
    ("unknown", "pending"),  # late RY or NA; or a user has it sent again
    ("unknown", "unknown"),  # too late to wake anybody
    ("unknown", "discarded"),
    ("refused", "pending"),
    ("refused", "discarded"),
    ("discarded", "done"),
}
"""The changes from state to state that a row may make."""

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
    {"pa_stray": "NA"},
    {"pa_stray": "OK", "pa_delay": 2.5},
    {"pa_twice": True},
    {"pa_twice": True, "pa_delay": 2.5},
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
class Action:
    """A method of the harness, its weight, and the choices of its arguments."""

    name: str
    weight: float
    choices: dict[str, list[Any]]


def _action(name: str, weight: float, /, **choices: list[Any]) -> Action:
    return Action(name, weight, choices)


ACTIONS = [
    _action("post", 12, room=[0, 0, 0, 1, 2], key=[False, True], euro=[False, False, True]),
    _action("repeat_post", 2, back=[0, 1, 2], other=[False, True]),
    _action("update_room", 4, room=[0, 1], field=["RS", "VM"], value=[1, 2, 3]),
    _action("add_wake_up", 4, record=["WR", "WC", "WA"], room=[0, 1], ahead=[3.0, 3.0, 60.0, 172_800.0]),
    _action("run_one_timer", 25),
    _action("run_to_next_timer", 25),
    _action("wait", 8, seconds=[0.0, 0.0, 0.0625, 0.25, 2.0, 5.0, 31.0]),
    _action("wait", 0.3, seconds=[610.0, 901.0]),
    _action("idle_for_a_day", 0.05),
    _action("set_pms_faults", 6, faults=FAULTS),
    _action(
        "set_network",
        3,
        mode=["accept"] * 5 + ["refuse", "stall", "black hole"],
        latency=[0.0, 0.0, 0.0625, 0.75],
    ),
    _action(
        "trigger_pms",
        5,
        action=["LE", "drop", "LS", "DS to DE", "DS", "DE", "night audit", "end of night audit", "WR"],
    ),
    _action(
        "send_late_answer", 3, overdue=[True, True, False], back=[0, 0, 1], status=["OK", "OK", "NG", "RY"]
    ),
    _action("set_disk_full", 2, full=[False, False, True]),
    _action("restart", 2, mode=["stopped", "killed", "killed behind a commit"]),
    _action("control", 2, action=["disconnect", "disable", *["enable"] * 6]),
    _action("set_charset", 0.7, charset=["cp1252", "cp850"]),
    _action("operator_action", 5, action=["resend", "discard"], back=[0, 0, 1, 2]),
]
RULES: dict[str, list[Any]] = {
    "unanswered": ["resend", "hold"],
    "send_limit": [1, 2, 3],
    "digits": [1, 4, 8],
    "outbox_limit": [5, 1000],
    "answer_timeout": [2.0],
}

MIN_RUNS = 20
MAX_RUNS = 100
"""Upper limit of runs while an allowed change has not been seen."""
STEPS = 150


def test_rows_make_every_allowed_change_of_state_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    state_changes: Counter[tuple[str, str]] = Counter()
    for seed in range(MAX_RUNS):
        if seed >= MIN_RUNS and set(state_changes) >= ALLOWED_STATE_CHANGES:
            break
        state_changes += _run_at_random(Random(seed), monkeypatch)
    assert set(state_changes) == ALLOWED_STATE_CHANGES, state_changes


def _run_at_random(random: Random, monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, str]]:
    """Make one run. Every action is printed, so that a failing run can be repeated by hand."""
    for module in (link_checks, backoff):  # the jitter comes from the same random
        monkeypatch.setattr(module, "random", random)
    rules = {name: random.choice(choices) for name, choices in RULES.items()}
    print(f"harness = OutboxActions(OutboxSettings(**{rules}))")
    harness = OutboxActions(OutboxSettings(**rules))
    for action in random.choices(ACTIONS, [action.weight for action in ACTIONS], k=STEPS):
        arguments = {name: random.choice(choices) for name, choices in action.choices.items()}
        print(f"harness.{action.name}(**{arguments})")
        getattr(harness, action.name)(**arguments)
        harness.check()
    harness.recover()
    return harness.model.state_changes


class ShortRun(RuleBasedStateMachine):
    """The runs of Hypothesis; its rules are the actions."""

    @initialize(rules=st.fixed_dictionaries({name: st.sampled_from(of) for name, of in RULES.items()}))
    def begin(self, rules: dict[str, Any]) -> None:
        self.harness = OutboxActions(OutboxSettings(**rules))

    @invariant()
    def check(self) -> None:
        self.harness.check()

    def teardown(self) -> None:
        if hasattr(self, "harness"):
            self.harness.recover()


def _rule(action: Action) -> Any:
    def act(run: ShortRun, **arguments: Any) -> None:
        getattr(run.harness, action.name)(**arguments)

    act.__name__ = action.name
    choices: Any = {name: st.sampled_from(choices) for name, choices in action.choices.items()}
    decorate: Any = rule(**choices)
    return decorate(act)


for _number, _each in enumerate(ACTIONS):
    if _each.name != "idle_for_a_day":  # Hypothesis knows no weights, and a day takes two seconds
        setattr(ShortRun, f"{_each.name}_{_number}", _rule(_each))

ShortRun.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
test_short_runs = ShortRun.TestCase
