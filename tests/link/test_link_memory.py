"""A test of the memory of a link, of which a service may have ten thousand."""

from __future__ import annotations

from twisted.internet.task import Clock

from tests.memory_network import Network
from tests.storeless_link import link_without_store
from tests.web.served_api import START_TIME, ScriptedPmsFactory, make_link_config


def test_links_share_the_names_of_their_attributes() -> None:
    """With more than 30 attributes, Python gives each object a table of its own: 1.7 KiB for each link."""
    clock = Clock()
    network = Network(clock, ScriptedPmsFactory())
    link = link_without_store(make_link_config(), clock, lambda: START_TIME, network.dial, lambda *_: None)
    assert len(vars(link)) < 30
