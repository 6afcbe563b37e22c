#!/usr/bin/env python3
"""Distil Venice's published OpenAPI document to the facts that the local Venice checks by.

python scripts/distil_openapi.py OPENAPI_YAML writes sanctum_venice_tools/emulator/facts.json, and
prints which operations changed, and which tools call them; with --check it changes nothing and
fails when that file differs. What remains are names, types and limits; no prose.

What Venice changed after that document is in amendments.yaml beside facts.json, each change with
its source and day. It is an overlay of the OpenAPI Initiative (Overlay Specification 1.0.0) and is
laid over the document first. When a newer document says it itself, the amendment is to be removed:
this command names each that changes nothing.
"""

import copy
import json
import re
from pathlib import Path
from typing import Any

import click
import jsonpath
import yaml

from sanctum_venice_tools.packing.bundle import bundle, tool_files
from sanctum_venice_tools.printing import told_where_output_fails

EMULATOR = Path(__file__).parent.parent / "sanctum_venice_tools" / "emulator"
FACTS = EMULATOR / "facts.json"
AMENDMENTS = EMULATOR / "amendments.yaml"
METHODS = ("get", "post", "put", "patch", "delete")
WIDTH = 110

# Of a schema these say something that can be checked (or, `default`, something that a caller can
# leave out); all else is prose.
KEPT = (
    "$ref", "type", "enum", "format", "pattern", "default",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "minLength", "maxLength", "minItems", "maxItems", "minProperties",
    "required", "additionalProperties", "items", "properties", "anyOf", "oneOf", "allOf",
)  # fmt: skip


class Loader(yaml.CSafeLoader):
    """YAML 1.2's scalars: to YAML 1.1, `off` is false, `16:9` is 969 and `2025-05-07` is a date.

    The parser is libyaml's: PyYAML's own needs seconds for Venice's document.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - that is how PyYAML is told
        first: [(tag, pattern) for tag, pattern in resolvers if tag == "tag:yaml.org,2002:null"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("(true|false)$"), list("tf"))
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"-?(0|[1-9]\d*)$"), list("-0123456789")
)
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"-?\d+(\.\d+([eE][-+]?\d+)?|[eE][-+]?\d+)$"),
    list("-0123456789"),
)


def read_yaml(path: Path) -> Any:
    """A YAML file, its scalars read as in YAML 1.2."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader)  # noqa: S506 - a CSafeLoader


def read_document(path: Path) -> dict[str, Any]:
    """Venice's document as it would be today: with the amendments laid over it."""
    document: dict[str, Any] = read_yaml(path)
    for action in read_yaml(AMENDMENTS)["actions"]:
        if not amend(document, action):
            advice = f"the document says this itself, remove it: {action['description']}"
            click.echo(f"{AMENDMENTS.name}: {advice}", err=True)
    return document


def amend(document: dict[str, Any], action: dict[str, Any]) -> bool:
    """Carry out one action of an overlay; whether it changed anything.

    Raises:
        click.ClickException: The document has no such place.
    """
    places = list(jsonpath.finditer(action["target"], document))
    if not places:
        raise click.ClickException(f"{AMENDMENTS.name}: the document has no {action['target']}.")
    # From the last to the first, so that what is taken out of a list does not move what is still to
    # be found.
    has_changed = False
    for place in reversed(places):
        if action.get("remove"):
            parent: Any = place.parent
            del parent.obj[place.parts[-1]]
            has_changed = True
        else:
            before = copy.deepcopy(place.obj)
            merge(place.obj, action["update"])
            has_changed = has_changed or place.obj != before
    return has_changed


def merge(place: Any, update: Any) -> None:
    """Merge objects field by field, append to lists, and replace all else, as Overlays do."""
    if isinstance(place, list):
        place.extend(update if isinstance(update, list) else [update])
        return
    for name, value in update.items():
        if name in place and isinstance(place[name], dict | list):
            merge(place[name], value)
        else:
            place[name] = value


def distil_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI 3.0 schema as JSON Schema draft 2020-12, without its prose."""
    facts = {
        keyword: distil_keyword(keyword, schema[keyword]) for keyword in KEPT if keyword in schema
    }
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if facts.pop(exclusive, False):
            facts[exclusive] = facts.pop(bound)
    # Without a type, `nullable` says no more than an empty schema does: anything at all.
    if schema.get("nullable") and "type" in facts:
        facts["type"] = [facts["type"], "null"]
        if "enum" in facts:
            facts["enum"] = [*facts["enum"], None]
    if not facts.get("properties", True):
        del facts["properties"]
    return facts


def distil_keyword(keyword: str, value: Any) -> Any:
    """The value of one keyword, the schemas within it distilled."""
    if keyword == "$ref":
        return value.replace("#/components/schemas/", "#/$defs/")
    if keyword == "properties":
        return {name: distil_schema(part) for name, part in value.items()}
    if keyword in {"anyOf", "oneOf", "allOf"}:
        return distil_choice([part for part in value if part])
    if keyword in {"items", "additionalProperties"} and isinstance(value, dict):
        return distil_schema(value)
    return value


def distil_choice(branches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The branches of a choice; one that says only `nullable` is Venice's way to write null."""
    distilled: list[dict[str, Any]] = []
    for branch in branches:
        only_null = branch.get("nullable") and not branch.keys() & set(KEPT)
        facts = {"type": "null"} if only_null else distil_schema(branch)
        if facts not in distilled:
            distilled.append(facts)
    return distilled


def distil_content(content: dict[str, Any]) -> dict[str, Any]:
    """The schema of each content type of a body."""
    return {kind: distil_schema(body.get("schema", {})) for kind, body in content.items()}


def distil_operation(operation: dict[str, Any], security: list[Any]) -> dict[str, Any]:
    """Who may call an operation, what it takes, and what it gives."""
    return {
        # An empty entry, or none at all, means that no key is needed.
        "access": sorted({name or "public" for way in operation.get("security", security) or [{}]
                          for name in way or [""]}),
        "parameters": [
            {"name": parameter["name"], "in": parameter["in"],
             "required": parameter.get("required", False),
             "schema": distil_schema(parameter["schema"])}
            for parameter in operation.get("parameters", [])
        ],
        "requests": distil_content(operation.get("requestBody", {}).get("content", {})),
        "responses": {
            status: {"headers": sorted(response.get("headers", {})),
                     "content": distil_content(response.get("content", {}))}
            for status, response in sorted(operation["responses"].items())
        },
    }  # fmt: skip


def distil(document: dict[str, Any]) -> dict[str, Any]:
    """All the facts of a document."""
    return {
        "version": document["info"]["version"],
        "paths": {
            path: {
                method: distil_operation(operations[method], document.get("security", []))
                for method in METHODS
                if method in operations
            }
            for path, operations in sorted(document["paths"].items())
        },
        "$defs": {
            name: distil_schema(schema)
            for name, schema in sorted(document["components"]["schemas"].items())
        },
    }


def lay_out(value: Any, depth: int = 0, label: str = "") -> str:
    """JSON in which what fits on a line stands on one, so that differences are small."""
    line = label + json.dumps(value, ensure_ascii=False)
    nested = isinstance(value, dict) or (
        isinstance(value, list) and isinstance(next(iter(value), 0), dict)
    )
    if depth + len(line) < WIDTH or not nested:
        return line
    parts = (
        [lay_out(part, depth + 1, json.dumps(name) + ": ") for name, part in value.items()]
        if isinstance(value, dict)
        else [lay_out(part, depth + 1) for part in value]
    )
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    inner = "\n" + " " * (depth + 1)
    return f"{label}{opening}{inner}{f',{inner}'.join(parts)}\n{' ' * depth}{closing}"


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """A line for each operation that is new, gone or other, with the tools that call it."""
    texts = {name: bundle(path) for name, path in tool_files().items()}
    lines = []
    for path in sorted({*before["paths"], *after["paths"]}):
        was = resolved(before, path)
        now = resolved(after, path)
        for method in METHODS:
            if was.get(method) == now.get(method):
                continue
            kind = "new" if method not in was else "gone" if method not in now else "changed"
            callers = [name for name, text in texts.items() if calls(text, path)]
            lines.append(f"{kind}: {method.upper()} {path}: {', '.join(callers) or 'no tool'}")
    return lines


def calls(text: str, path: str) -> bool:
    """Whether a tool's text may call a path: by its name, or as `f"/{kind}/queue"`."""
    fixed = path.partition("{")[0]
    after_kind = path.removeprefix("/video").removeprefix("/audio")
    return f'"{fixed}' in text or (after_kind != path and f'}}{after_kind}"' in text)


def resolved(facts: dict[str, Any], path: str) -> dict[str, Any]:
    """The operations of a path, with the shared schemas they name put in their place."""
    found: dict[str, Any] = resolve(facts["paths"].get(path, {}), facts["$defs"])
    return found


def resolve(node: Any, shared: dict[str, Any], within: tuple[str, ...] = ()) -> Any:
    """A copy of a part of the facts without references, but for those of a schema to itself."""
    if isinstance(node, list):
        return [resolve(part, shared, within) for part in node]
    if not isinstance(node, dict):
        return node
    name = str(node.get("$ref", "")).removeprefix("#/$defs/")
    if name in shared and name not in within:
        return resolve(shared[name], shared, (*within, name))
    return {key: resolve(value, shared, within) for key, value in node.items()}


@click.command(help=__doc__)
@click.argument("openapi_yaml", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Change nothing; fail when facts.json differs.")
def main(openapi_yaml: Path, *, check: bool) -> None:
    """Write or check facts.json."""
    distilled = distil(read_document(openapi_yaml))
    facts = lay_out(distilled) + "\n"
    before = FACTS.read_text(encoding="utf-8") if FACTS.exists() else '{"paths": {}, "$defs": {}}'
    if check:
        if before != facts:
            raise click.ClickException(f"{FACTS.name} differs: run this without --check.")
        return
    for line in changes(json.loads(before), distilled):
        click.echo(line)
    FACTS.write_text(facts, encoding="utf-8")


if __name__ == "__main__":
    with told_where_output_fails():
        main()
