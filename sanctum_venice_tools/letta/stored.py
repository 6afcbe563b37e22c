"""A tool as a Letta server stores it.

Whose it is, how it differs from ours, and whether a person edited it there.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from letta_client import Letta
from letta_client.types import Tool

from sanctum_venice_tools.letta.reading import list_tools
from sanctum_venice_tools.packing.record import Record, Sandbox

# Carries a digest of all that was registered. Letta keeps tags when somebody edits a tool, so a
# tool that no longer fits its digest was edited. (Its metadata would not do: the call that
# registers a tool resets it.)
_DIGEST_TAG = "venice-sha-"
_OUR_TAGS = "venice"


def read_tools(letta: Letta) -> dict[str, Tool]:
    """The server's tools with names like ours, by name; one request for up to 50 of them."""
    return {tool.name: tool for tool in list_tools(letta, search="venice_") if tool.name}


def is_ours(tool: Tool) -> bool:
    """Whether a tool came from this pack: its first line tells, or the digest of registering."""
    return has_our_header(tool) or _noted_digest(tool) is not None


def has_our_header(tool: Tool) -> bool:
    """Whether a tool's text still says that it was made by this pack."""
    beginning = (tool.source_code or "")[:200]
    return "made from sanctum_venice_tools/" in beginning.lower()


def declares_packages(tool: Tool) -> bool:
    """Whether a tool of ours is as for a sandbox that installs what it declares."""
    return any(package.name == "httpx" for package in tool.pip_requirements or [])


def wanted_fields(record: Record, there: Tool | None, sandbox: Sandbox) -> dict[str, Any]:
    """All that is written to the server for a tool; tags that others gave it stay."""
    fields = record.fields(sandbox)
    digest_tag = f"{_DIGEST_TAG}{_digest(fields)}"
    tags_there = (there.tags if there else None) or []
    others = [tag for tag in tags_there if not tag.startswith(_OUR_TAGS)]
    return {**fields, "tags": [*fields["tags"], digest_tag, *others]}


def differences(wanted: Mapping[str, Any], tool: Tool) -> tuple[str, ...]:
    """The fields, by Letta's names, in which the server's tool is not as it should be.

    Our tag with the digest changes with every other field, so it counts only when nothing else
    differs.
    """
    there = tool.model_dump()
    differs = []
    for name, value in wanted.items():
        if name != "tags" and _plain(there.get(name)) != _plain(value):
            differs.append(name)

    tags = set(tool.tags or [])
    wanted_tags = set(wanted["tags"])
    if differs:
        tags = _without_digest(tags)
        wanted_tags = _without_digest(wanted_tags)
    if tags != wanted_tags:
        differs.append("tags")
    return tuple(differs)


def was_edited(tool: Tool, wanted: Mapping[str, Any]) -> bool:
    """Whether somebody changed the tool on the server after it was registered."""
    noted = _noted_digest(tool)
    if noted is None:
        return False
    there = tool.model_dump()
    fields = {name: there.get(name) for name in wanted}
    return noted != _digest(fields)


def _without_digest(tags: set[str]) -> set[str]:
    return {tag for tag in tags if not tag.startswith(_DIGEST_TAG)}


def _noted_digest(tool: Tool) -> str | None:
    for tag in tool.tags or []:
        if tag.startswith(_DIGEST_TAG):
            return tag.removeprefix(_DIGEST_TAG)
    return None


def _digest(fields: Mapping[str, Any]) -> str:
    """A short digest of a tool; without empty fields, so that a new field changes nothing."""
    content = {name: value for name, value in fields.items() if name != "tags" and value}
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _plain(value: Any) -> Any:
    """A field's value for comparison: Letta gives an empty list as null or as empty."""
    return None if value == [] else value
