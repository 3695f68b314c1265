"""The cache for Automat's look-ups, and that a changed Automat is noticed at once."""

from __future__ import annotations

import inspect
from typing import Any, Protocol

import pytest
from attrs import define
from automat import TypeMachineBuilder

from pmslink.link.automat_cache import cache_transitions
from pmslink.link.machine import Machine


class Switch(Protocol):
    def press(self) -> None:
        """Press the switch."""


@define
class Lamp:
    presses: int = 0


def build_switch() -> Any:
    builder = TypeMachineBuilder(Switch, Lamp)
    off, on = builder.state("off"), builder.state("on")

    def count(switch: Switch, lamp: Lamp) -> None:
        lamp.presses += 1

    off.upon(Switch.press).to(on)(count)
    on.upon(Switch.press).to(off)(count)
    return builder.build()


def test_a_built_machine_has_the_automaton_that_the_cache_replaces_a_method_of() -> None:
    automaton = build_switch().__automat_automaton__
    assert list(inspect.signature(automaton.outputForInput).parameters) == ["inState", "inputSymbol"]
    assert inspect.ismethod(automaton.outputForInput)


def test_each_transition_is_looked_up_once_for_all_machines() -> None:
    machine_type = build_switch()
    cache_transitions(machine_type)
    lamps = [Lamp(), Lamp()]
    for lamp in lamps:
        switch = machine_type(lamp)
        for _ in range(5):
            switch.press()
    assert [lamp.presses for lamp in lamps] == [5, 5]
    info = machine_type.__automat_automaton__.outputForInput.cache_info()
    assert (info.misses, info.hits) == (2, 8)


def test_the_machine_of_a_link_is_cached() -> None:
    automaton: Any = Machine.__automat_automaton__
    assert automaton.outputForInput.cache_info().maxsize is None


class WithoutAutomaton:
    pass


class WithAnotherAutomaton:
    __automat_automaton__ = object()


@pytest.mark.parametrize("machine_type", [WithoutAutomaton, WithAnotherAutomaton])
def test_a_changed_automat_is_an_error(machine_type: type) -> None:
    with pytest.raises(TypeError, match="Automat has changed"):
        cache_transitions(machine_type)
