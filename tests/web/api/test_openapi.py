"""Tests of the OpenAPI document, and of the API by a client that is generated from the document."""

from __future__ import annotations

import re
import sysconfig
from pathlib import Path
from typing import Any, get_args

import pytest
from attrs import fields
from openapi_spec_validator import OpenAPIV31SpecValidator
from twisted.internet.task import LoopingCall
from twisted.internet.utils import getProcessOutputAndValue

import pmslink
from pmslink import __version__
from pmslink.config.link_definition import LinkDefinition
from pmslink.config.link_settings import LinkSettings
from pmslink.config.profiles import Profile
from pmslink.hotel.events import Author, EventType
from pmslink.hotel.phone_update_records import ReportedResult
from pmslink.hotel.rooms import Guest, WakeUpResult
from pmslink.link.cause import CauseCode
from pmslink.link.connection_probe import StepName
from pmslink.link.machine import Intent, Marker
from pmslink.store.tables.log_entries import Direction
from pmslink.store.tables.outbox_rows import RowState
from pmslink.web.api.openapi import load_openapi
from pmslink.web.auth import failed_login_limit
from pmslink.web.auth.credentials import SESSION_COOKIE_NAME
from pmslink.web.auth.csrf import CSRF_HEADER_NAME
from pmslink.web.auth.permissions import Role, find_allowed_roles
from tests.time_limit import time_limit
from tests.web.protected_api import TokenProtectedApi
from tests.web.served_api import ServedApi, reactor

SCHEMAS: dict[str, Any] = load_openapi()["components"]["schemas"]
PACKAGE = Path(pmslink.__file__).parent
SOURCES = tuple(
    path.read_text("utf-8")
    for package in ("web", "link", "hotel")
    for path in sorted((PACKAGE / package).rglob("*.py"))
)


def test_the_document_is_valid_openapi_3_1() -> None:
    assert load_openapi()["openapi"] == "3.1.0"
    assert load_openapi()["info"]["version"] == __version__
    OpenAPIV31SpecValidator(load_openapi()).validate()


@time_limit(10)
async def test_the_document_is_served(served_api: ServedApi) -> None:
    assert (await served_api.get("/openapi.json")).json() == load_openapi()


def described_path(route: str) -> str:
    """`/a/<path:b>` as OpenAPI writes it."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)


@time_limit(10)
async def test_the_document_has_the_existing_routes_and_no_others(served_api: ServedApi) -> None:
    routes = {
        (described_path(rule.rule), method.lower())
        for rule in served_api.site.api.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
    }
    described = {
        (path, method)
        for path, operations in load_openapi()["paths"].items()
        for method in operations
        if method != "parameters"
    }
    assert routes == described


def test_the_document_has_the_same_enumerations_as_the_code() -> None:
    link = SCHEMAS["Link"]["properties"]
    assert SCHEMAS["Marker"]["enum"] == list(get_args(Marker))
    assert SCHEMAS["Cause"]["properties"]["code"]["enum"] == list(get_args(CauseCode))
    assert SCHEMAS["Profile"]["enum"] == list(get_args(Profile))
    assert link["intent"]["enum"] == list(get_args(Intent))
    assert SCHEMAS["TestStepName"]["enum"] == list(get_args(StepName))
    assert SCHEMAS["PostingState"]["enum"] == list(get_args(RowState))
    assert SCHEMAS["Direction"]["enum"] == list(get_args(Direction))
    assert SCHEMAS["Author"]["enum"] == list(get_args(Author))
    assert SCHEMAS["WakeUpResult"]["enum"] == list(get_args(WakeUpResult))
    assert SCHEMAS["NewResult"]["properties"]["result"]["enum"] == list(get_args(ReportedResult))
    assert list(SCHEMAS["Guest"]["properties"]) == [attribute.name for attribute in fields(Guest)]
    assert SCHEMAS["Role"]["enum"] == list(get_args(Role))
    schemes = load_openapi()["components"]["securitySchemes"]
    assert (schemes["session"]["name"], schemes["csrf"]["name"]) == (
        SESSION_COOKIE_NAME.decode(),
        CSRF_HEADER_NAME,
    )


def test_the_document_has_the_same_events_as_the_code() -> None:
    mapping = SCHEMAS["Event"]["discriminator"]["mapping"]
    assert list(mapping) == list(get_args(EventType))
    assert [reference["$ref"] for reference in SCHEMAS["Event"]["oneOf"]] == list(mapping.values())
    for type, reference in mapping.items():
        described = SCHEMAS[reference.rpartition("/")[2]]
        assert described["properties"]["type"] == {"const": type}
        assert described["unevaluatedProperties"] is False
        optional = {"type", "by"} if type.startswith("guest.") else {"type"}
        assert set(described.get("required", ())) == set(described["properties"]) - optional


@time_limit(10)
async def test_the_document_marks_the_public_routes(served_api: ServedApi) -> None:
    for rule in served_api.site.api.app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD"}:
            operation = load_openapi()["paths"][described_path(rule.rule)][method.lower()]
            is_open = operation.get("security", load_openapi()["security"]) == []
            assert is_open == (find_allowed_roles(method, rule.rule) is None), (method, rule.rule)


def test_the_document_has_the_same_settings_as_the_code() -> None:
    assert list(SCHEMAS["Settings"]["properties"]) == [attribute.name for attribute in fields(LinkSettings)]
    assert SCHEMAS["Settings"]["required"] == list(SCHEMAS["Settings"]["properties"])
    names = {attribute.name for attribute in fields(LinkDefinition)}
    assert (
        SCHEMAS["LinkDefinition"]["properties"].keys() == SCHEMAS["LinkChanges"]["properties"].keys() == names
    )
    assert SCHEMAS["NewLink"]["properties"].keys() == names | {"name"}


def test_the_document_lists_all_error_codes() -> None:
    table = re.findall(r"^\| (\d+) \| `(\w+)` \|", load_openapi()["info"]["description"], re.MULTILINE)
    codes = SCHEMAS["Error"]["properties"]["error"]["properties"]["code"]["enum"]
    assert {code for _, code in table} == set(codes)
    raised = {matches for source in SOURCES for matches in re.findall(r'ApiError\(\s*(\d+), "(\w+)"', source)}
    not_applicable = {
        ("409", code) for source in SOURCES for code in re.findall(r'NotApplicableError\(\s*"(\w+)"', source)
    }
    assert len(not_applicable) == 16
    assert raised | not_applicable <= set(table)


SCHEMATHESIS_CONFIG = """
[parameters]
link = "grand"

[[operations]]
include-path-regex = "/api/v1/links(/test|/{link}(/postings|/rooms/.+)?)?$"
[operations.checks]
# a schema cannot describe relations between settings, time zones, charsets and future times
positive_data_acceptance.enabled = false
# GET works for a link of that name, which is described as another path
allow_header_conformance.enabled = false
"""


@time_limit(180)
async def test_schemathesis_finds_no_deviation_from_the_document(
    protected_api: TokenProtectedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    protected_api.add_link(enabled=False)
    monkeypatch.setattr(
        failed_login_limit, "FAILED_LOGIN_WINDOW_S", 0
    )  # schemathesis sends many invalid tokens
    (tmp_path / "schemathesis.toml").write_text(SCHEMATHESIS_CONFIG)
    time = LoopingCall(protected_api.advance, 3)  # advance the test clock fast: a call may wait for a minute
    time.start(0.01)
    try:
        output, errors, code = await getProcessOutputAndValue(
            f"{sysconfig.get_path('scripts')}/schemathesis",
            [
                "run",
                f"http://127.0.0.1:{protected_api.port}/openapi.json",
                f"--header=Authorization: Bearer {protected_api.tokens['control']}",
                "--exclude-path=/api/v1/stream",  # it never ends
                "--phases=examples,coverage,fuzzing",
                "--max-examples=5",
                "--seed=1",
                "--request-timeout=60",  # only for a hung service: the machine may be busy
                "--generation-database=none",
                "--no-color",
            ],
            env={"HOME": str(tmp_path)},
            path=str(tmp_path),
            reactor=reactor,
        )
    finally:
        time.stop()
    assert code == 0, (output + errors).decode()
