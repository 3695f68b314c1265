"""Tests that no value of a request is looked at before its bounds: case E4, for all calls of the document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pmslink.web.api.openapi import load_openapi
from pmslink.web.http.json_bounds import MAX_ENTRIES, MAX_NAMES, MAX_TEXT_CHARS
from tests.time_limit import time_limit
from tests.web.served_api import ServedApi

LENGTH = 60_000
NASTY_TEXTS = {
    "slashes": "//" + "a" * LENGTH,
    "letters": "a" * LENGTH,
    "blanks": " " * LENGTH,
    "digits": "0" * LENGTH,
    "at_signs": "@" * LENGTH,
    "colons": ":" * LENGTH,
    "dots": "a." * (LENGTH // 2),
    "umlauts": "ü" * (LENGTH // 2),  # six bytes each
    "url": "http://" + "a@" * (LENGTH // 2),
}
PATH_VALUES = {"link": "grand", "room": "101", "id": "1", "name": "page.js"}


def follow(value: dict[str, Any]) -> dict[str, Any]:
    """Return the target of a reference of the document."""
    if "$ref" not in value:
        return value
    target: Any = load_openapi()
    for part in value["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return follow(target)


def properties(schema: dict[str, Any]) -> Iterator[str]:
    schema = follow(schema)
    yield from schema.get("properties", {})
    for key in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(key, []):
            yield from properties(part)


def calls() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, operations in load_openapi()["paths"].items()
        for method, operation in operations.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]


def calls_with_body() -> list[tuple[str, str, list[str]]]:
    found = []
    for method, path, operation in calls():
        if "requestBody" in operation:
            content = follow(operation["requestBody"])["content"]["application/json"]
            found.append((method, path, sorted(set(properties(content["schema"])))))
    return found


def test_the_document_has_calls_with_fields() -> None:
    assert len(calls_with_body()) >= 10
    assert all(names for *_, names in calls_with_body())


@pytest.mark.parametrize(("method", "path", "names"), calls_with_body())
@time_limit(60)
async def test_e4_an_endless_text_in_any_field_is_rejected(
    served_api: ServedApi, method: str, path: str, names: list[str]
) -> None:
    await served_api.post("/api/v1/links", {"name": "grand", "host": "192.0.2.1", "port": 5010})
    for number, name in enumerate(names):
        form = list(NASTY_TEXTS)[number % len(NASTY_TEXTS)]
        answer = await served_api.post(path.format(**PATH_VALUES), {name: NASTY_TEXTS[form]}, method=method)
        assert answer.error == (400, "invalid"), (name, form)
        error = answer.json()["error"]
        assert error["field"] == name
        assert error["message"] == f"{name} must have at most {MAX_TEXT_CHARS} characters"


@pytest.mark.parametrize("form", NASTY_TEXTS)
@time_limit(20)
async def test_e4_a_test_of_an_endless_host_is_rejected(served_api: ServedApi, form: str) -> None:
    answer = await served_api.post("/api/v1/links/test", {"host": NASTY_TEXTS[form]})
    assert answer.error == (400, "invalid")


@pytest.mark.parametrize(
    ("body", "field", "problem"),
    [
        ({"tariff": [0] * (MAX_ENTRIES + 1)}, "tariff", f"at most {MAX_ENTRIES} entries"),
        ({"records": dict.fromkeys(map(str, range(MAX_NAMES + 1)))}, "records", f"{MAX_NAMES} names"),
        ({"records": {"a" * 101: ""}}, "records", "a name in records must have at most 100 characters"),
        (dict.fromkeys(map(str, range(MAX_NAMES + 1)), 1), None, f"the body must have at most {MAX_NAMES}"),
        ({"a" * LENGTH: 1}, None, "a name in the body must have at most 100 characters"),
        ({"port": 10**400}, "port", "port must be a number from -2^63 to 2^63"),
        ({"port": 1e308}, "port", "port must be a number from -2^63 to 2^63"),
        ({"tariff": {"rates": [{"prefix": "1" * 5000}]}}, "tariff", "tariff.rates.1.prefix must have at"),
    ],
)
@time_limit(20)
async def test_e4_every_value_of_a_body_is_bounded(
    served_api: ServedApi, body: dict[str, Any], field: str | None, problem: str
) -> None:
    answer = await served_api.post("/api/v1/links/test", body)
    assert answer.error == (400, "invalid")
    error = answer.json()["error"]
    assert error.get("field") == field
    assert problem in error["message"]


@pytest.mark.parametrize(
    "raw",
    [
        '{"host":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"host":' + '{"a":' * 40_000 + "1" + "}" * 40_000 + "}",
        '{"host":[[[[[[1]]]]]]}',
        '{"port":' + "9" * 60_000 + "}",
        '{"port":1e999}',
        '{"port":NaN}',
    ],
)
@time_limit(20)
async def test_e4_deep_values_and_numbers_without_end_are_rejected(served_api: ServedApi, raw: str) -> None:
    headers = {"content-type": "application/json"}
    answer = await served_api.call("POST", "/api/v1/links/test", headers, raw.encode())
    assert answer.error == (400, "invalid")


@time_limit(20)
async def test_a_body_at_the_bounds_is_looked_at(served_api: ServedApi) -> None:
    body = {"host": "192.0.2.1", "port": 5010, "extension_table": "/" + "a" * (MAX_TEXT_CHARS - 1)}
    answer = await served_api.post("/api/v1/links/test", body)
    assert "at most" not in json.dumps(answer.json())


@pytest.mark.parametrize(("method", "path"), sorted({(method, path) for method, path, _ in calls()}))
@time_limit(30)
async def test_e4_endless_parameters_are_rejected(served_api: ServedApi, method: str, path: str) -> None:
    served_api.add_link(enabled=False)
    template = path
    for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
        for length in (8000, LENGTH):
            spelled = template.format(**{**PATH_VALUES, name: "a" * length})
            answer = await served_api.call(method, spelled)
            assert answer.status in (400, 404), (name, length)
    spelled = template.format(**PATH_VALUES)
    for query in ("a" * LENGTH, "limit=" + "9" * LENGTH):
        assert (await served_api.call(method, f"{spelled}?{query}")).status == 400
    if path.startswith("/api/"):
        for query in ("limit=" + "9" * 8000, "a" * 8000 + "=1", "&".join(["x=1"] * 2000)):
            answer = await served_api.call(method, f"{spelled}?{query}")
            assert answer.status == 400, query[:20]
