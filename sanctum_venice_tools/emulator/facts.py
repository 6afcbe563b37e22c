"""What Venice's published document says, and checks against it in Venice's own words.

facts.json is made by scripts/distil_openapi.py. Venice checks with Zod; its messages are told here
in Zod's form.
"""

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, cast
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from sanctum_venice_tools.emulator.errors import invalid

FORMATS = FormatChecker(formats=())


@FORMATS.checks("uri")
def is_url(value: object) -> bool:
    """Whether JavaScript's URL would take it: a scheme and something after it."""
    if not isinstance(value, str):
        return True
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return False
    return bool(parts.scheme) and bool(parts.netloc or parts.path)


@FORMATS.checks("date-time")
def is_moment(value: object) -> bool:
    """Whether it is a moment in UTC, written with a Z."""
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z"
    return not isinstance(value, str) or re.fullmatch(pattern, value) is not None


@functools.cache
def facts() -> dict[str, Any]:
    """The whole of facts.json."""
    document: dict[str, Any] = json.loads(files(__package__).joinpath("facts.json").read_bytes())
    return document


class Schema:
    """One schema of the document, ready to check values."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema
        self.validator = Draft202012Validator(
            {**schema, "$defs": facts()["$defs"]}, format_checker=FORMATS
        )

    def properties(self) -> dict[str, dict[str, Any]]:
        """The schema of each field, wherever the schema has it from."""
        found: dict[str, dict[str, Any]] = {}
        waiting = [self.schema]
        while waiting:
            schema = waiting.pop()
            waiting += schema.get("allOf", [])
            if name := schema.get("$ref", "").removeprefix("#/$defs/"):
                waiting.append(facts()["$defs"][name])
            found = schema.get("properties", {}) | found
        return found

    def issues(self, value: Any, prefix: Iterable[str] = ()) -> list[dict[str, Any]]:
        """All that is wrong with a value, as Zod would tell it."""
        errors = sorted(
            self.validator.iter_errors(value), key=lambda error: [str(part) for part in error.path]
        )
        return [
            {**issue, "path": [*prefix, *issue["path"]]}
            for error in errors
            for issue in _issues(error)
        ]

    def check(self, value: Any) -> None:
        """Raise Venice's 400 when the value does not fit."""
        if issues := self.issues(value):
            raise invalid(issues)


@dataclass(frozen=True)
class Operation:
    """One path and method of Venice's, with what it takes and gives."""

    path: str
    method: str
    access: frozenset[str]
    parameters: dict[str, dict[str, Any]]
    requests: dict[str, Schema]
    responses: dict[str, dict[str, Schema]]

    def check_body(self, kind: str, body: Any) -> None:
        """Raise Venice's 400 when a body of that content type does not fit."""
        self.requests[kind].check(body)

    def check_query(self, given: Mapping[str, list[str]]) -> dict[str, Any]:
        """The query's parameters as values of their types, defaults filled in.

        Names that the document lacks are dropped: nothing says that Venice's queries are closed.
        """
        values: dict[str, Any] = {}
        issues: list[dict[str, Any]] = []
        for name, parameter in self.parameters.items():
            if parameter["in"] != "query":
                continue
            schema = parameter["schema"]
            if name in given:
                values[name] = _typed(given[name], schema)
                issues += Schema(schema).issues(values[name], [name])
            elif "default" in schema:
                values[name] = schema["default"]
        if issues:
            raise invalid(issues)
        return values


@functools.cache
def operations() -> dict[tuple[str, str], Operation]:
    """Every operation of the document by path and method."""
    return {
        (path, method): Operation(
            path,
            method,
            frozenset(entry["access"]),
            {parameter["name"]: parameter for parameter in entry["parameters"]},
            {kind: Schema(schema) for kind, schema in entry["requests"].items()},
            {
                status: {kind: Schema(schema) for kind, schema in response["content"].items()}
                for status, response in entry["responses"].items()
            },
        )
        for path, methods in facts()["paths"].items()
        for method, entry in methods.items()
    }


def _typed(texts: list[str], schema: dict[str, Any]) -> Any:
    """A query parameter as the type that its schema names.

    What cannot be one stays text and fails the check.
    """
    kinds = schema.get("type", "string")
    if "array" in kinds:
        return [part for text in texts for part in text.split(",")]
    text = texts[-1]
    if "integer" in kinds or "number" in kinds:
        return int(text) if re.fullmatch(r"[-+]?\d{1,18}", text) else text
    return text


def _issues(error: ValidationError) -> Iterator[dict[str, Any]]:
    """One error of jsonschema as the issues that Zod would report."""
    if error.validator in {"anyOf", "oneOf"}:
        branch = _meant(error.context or [])
        if branch:
            for inner in branch:
                yield from _issues(inner)
            return
    yield from _issue(error)


def _meant(context: list[ValidationError]) -> list[ValidationError]:
    """The errors of the branch of a union that the value was meant for, where that can be told."""
    branches: dict[Any, list[ValidationError]] = {}
    for error in context:
        branches.setdefault(error.relative_schema_path[0], []).append(error)
    fitting = [
        errors for errors in branches.values() if not any(_rules_out(error) for error in errors)
    ]
    return min(fitting, key=len, default=[])


def _rules_out(error: ValidationError) -> bool:
    """Whether an error shows that the value was not meant for that branch: wrong type or kind."""
    if error.validator == "enum":
        return not error.relative_path or error.relative_path[-1] in {"type", "role"}
    return error.validator == "type" and not error.relative_path


def _kind(value: Any) -> str:
    """JavaScript's name of a value's type."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return "string"
    return {bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}[
        type(value)
    ]


def quoted(options: Iterable[Any]) -> str:
    """Choices as Zod lists them."""
    return " | ".join(
        f"'{option}'" if isinstance(option, str) else str(option) for option in options
    )


def _issue(error: ValidationError) -> Iterator[dict[str, Any]]:  # noqa: C901 - a table of Zod's messages
    """One error of jsonschema as Zod's issues of its own kind."""
    path = list(error.absolute_path)
    rule, limit = cast("Any", error.validator), cast("Any", error.validator_value)
    schema, given = cast("dict[str, Any]", error.schema), cast("Any", error.instance)
    unit = {
        "minLength": "String",
        "maxLength": "String",
        "minItems": "Array",
        "maxItems": "Array",
    }.get(rule, "Number")
    match rule:
        case "required":
            for name in limit:
                if name not in given:
                    yield {
                        "code": "invalid_type",
                        "expected": "string",
                        "received": "undefined",
                        "path": [*path, name],
                        "message": "Required",
                    }
        case "additionalProperties":
            known = schema.get("properties", {})
            names = [name for name in given if name not in known]
            listed = ", ".join(f"'{name}'" for name in names)
            yield {
                "code": "unrecognized_keys",
                "keys": names,
                "path": path,
                "message": f"Unrecognized key(s) in object: {listed}",
            }
        case "type":
            kinds = [limit] if isinstance(limit, str) else limit
            received = _kind(given)
            if kinds[0] == "integer" and received == "number":
                received = "float"
            yield {
                "code": "invalid_type",
                "expected": kinds[0],
                "received": received,
                "path": path,
                "message": f"Expected {kinds[0]}, received {received}",
            }
        case "enum":
            options = [option for option in limit if option is not None]
            yield {
                "code": "invalid_enum_value",
                "received": given,
                "options": options,
                "expected": quoted(options),
                "path": path,
                "message": f"Invalid enum value. Expected {quoted(options)}, received '{given}'",
            }
        case "minimum" | "exclusiveMinimum" | "minLength" | "minItems":
            inclusive = rule != "exclusiveMinimum"
            yield {
                "code": "too_small",
                "minimum": limit,
                "type": unit.lower(),
                "inclusive": inclusive,
                "path": path,
                "message": _bound(unit, "at least" if inclusive else "greater than", limit),
            }
        case "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems":
            inclusive = rule != "exclusiveMaximum"
            yield {
                "code": "too_big",
                "maximum": limit,
                "type": unit.lower(),
                "inclusive": inclusive,
                "path": path,
                "message": _bound(unit, "at most" if inclusive else "less than", limit),
            }
        case "pattern" | "format":
            what = "url" if limit == "uri" else "datetime" if limit == "date-time" else "regex"
            yield {
                "code": "invalid_string",
                "validation": what,
                "path": path,
                "message": "Invalid" if what == "regex" else f"Invalid {what}",
            }
        case _:
            yield {"code": "invalid_union", "path": path, "message": "Invalid input"}


def _bound(unit: str, relation: str, limit: Any) -> str:
    """Zod's sentence about a size that is out of bounds."""
    if unit == "Number":
        relation = {"at least": "greater than or equal to", "at most": "less than or equal to"}.get(
            relation, relation
        )
        return f"Number must be {relation} {limit}"
    parts = "character(s)" if unit == "String" else "element(s)"
    return f"{unit} must contain {relation} {limit} {parts}"
