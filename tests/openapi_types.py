"""Types of the API for the type check of the page's scripts, made from the OpenAPI document.

The scripts name them in JSDoc: `{Api.Link}` is the schema `Link`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pmslink.web.api.openapi import load_openapi

_TYPE_BY_NAME = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}


def serialize_types() -> str:
    """Return a TypeScript declaration of a type for each schema of the document."""
    schemas = load_openapi()["components"]["schemas"]
    types = "\n".join(f"  type {name} = {_type_of(schema)};" for name, schema in schemas.items())
    return f"declare namespace Api {{\n{types}\n}}\n"


def _type_of(schema: Mapping[str, Any] | bool) -> str:
    if isinstance(schema, bool):
        return "any"
    if "$ref" in schema:
        _, _, path = str(schema["$ref"]).partition("/schemas/")
        name, *properties = path.split("/properties/")
        return name + "".join(f"[{json.dumps(property)}]" for property in properties)
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return _union(map(json.dumps, schema["enum"]))
    if "allOf" in schema:
        parts = [_type_of(part) for part in schema["allOf"]]
        return " & ".join([*parts, _object_type(schema)] if "properties" in schema else parts)
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return _union(_type_of(part) for part in schema[key])
    names = schema.get("type", "object" if "properties" in schema else None)
    if names is None:
        return "any"
    return _union(_named_type(name, schema) for name in ([names] if isinstance(names, str) else names))


def _union(types: Any) -> str:
    return "(" + " | ".join(dict.fromkeys(types)) + ")"


def _named_type(name: str, schema: Mapping[str, Any]) -> str:
    if name == "array":
        if "prefixItems" in schema:
            return "[" + ", ".join(map(_type_of, schema["prefixItems"])) + "]"
        return f"Array<{_type_of(schema.get('items', True))}>"
    if name == "object":
        return _object_type(schema)
    return _TYPE_BY_NAME[name]


def _object_type(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    members = [
        f"{json.dumps(name)}{'' if name in required else '?'}: {_type_of(value)}"
        for name, value in schema.get("properties", {}).items()
    ]
    others = schema.get("additionalProperties", True)
    if others is not False and (others is not True or not members):
        members.append(f"[key: string]: {'any' if members else _type_of(others)}")
    return "{ " + "; ".join(members) + " }"
