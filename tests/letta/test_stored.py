"""A tool as a Letta server stores it: whose it is, and whether it is still what was registered."""

from typing import Any

import pytest
from letta_client.types import Tool

from sanctum_venice_tools.letta.stored import differences, is_ours, wanted_fields, was_edited
from sanctum_venice_tools.packing.record import Record

SCHEMA = {
    "name": "venice_ask_web",
    "description": "Ask the web.",
    "parameters": {"type": "object", "properties": {}},
}
SOURCE = "# venice_ask_web: a Letta tool. Made from sanctum_venice_tools/tools/venice_ask_web.py\n"
RECORD = Record("venice_ask_web", "core", "cents", SOURCE, SCHEMA)


def stored(**other: Any) -> Tool:
    """The tool as a server has it once it is registered, but for some fields."""
    fields = wanted_fields(RECORD, None, "local") | {"id": "tool-1", "name": "venice_ask_web"}
    return Tool.model_validate(fields | other)


def differs(tool: Tool) -> tuple[str, ...]:
    """The fields in which a tool is not as it should be."""
    return differences(wanted_fields(RECORD, tool, "local"), tool)


def is_edited(tool: Tool) -> bool:
    """Whether somebody changed a tool on the server."""
    return was_edited(tool, wanted_fields(RECORD, tool, "local"))


DIGEST = next(tag for tag in stored().tags or [] if tag.startswith("venice-sha-"))


@pytest.mark.parametrize(
    ("source", "tags", "ours"),
    [
        (SOURCE, [], True),
        (SOURCE.upper(), None, True),
        ("def venice_ask_web(): ...", [DIGEST], True),
        ("def venice_ask_web(): ...", ["venice", "venice-core"], False),
        ("def venice_ask_web(): ...\n" * 10 + SOURCE, [], False),
        (None, None, False),
    ],
)
def test_a_tool_is_ours_by_its_beginning_or_its_digest(
    source: str | None, tags: list[str] | None, *, ours: bool
) -> None:
    """A tag that anybody may give, or our line further down, does not make a tool ours."""
    assert ours is is_ours(stored(source_code=source, tags=tags))


def test_what_was_registered_is_as_it_should_be() -> None:
    """Tags and names in another order, and an empty list for none, are no difference; nor is it edited."""
    tool = stored(
        tags=list(reversed(stored().tags or [])),
        json_schema=dict(reversed(SCHEMA.items())),
        pip_requirements=[],
    )

    assert () == differs(tool)
    assert not is_edited(tool)


def test_a_tag_of_somebody_else_stays() -> None:
    """It is no difference, and it is among those that are written; an older digest of ours is not."""
    tool = stored(tags=["favourite", *(stored().tags or [])])
    wanted = wanted_fields(RECORD, tool, "local")["tags"]

    assert () == differs(tool)
    assert sorted(["favourite", *(stored().tags or [])]) == sorted(wanted)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"return_char_limit": 7}, ("return_char_limit",)),
        ({"source_code": "pass"}, ("source_code",)),
        ({"tags": ["venice", DIGEST]}, ("tags",)),
        ({"tags": ["venice", "venice-core", "venice-sha-0"]}, ("tags",)),
        (
            {"tags": ["venice", "venice-core", "venice-sha-0"], "source_code": "pass"},
            ("source_code",),
        ),
        ({"tags": ["venice", "venice-sha-0"], "source_code": "pass"}, ("source_code", "tags")),
    ],
    ids=str,
)
def test_what_differs_is_named(other: dict[str, Any], told: tuple[str, ...]) -> None:
    """The digest alone counts only where nothing else differs: it changes with every field."""
    assert told == differs(stored(**other))


def test_a_tool_that_no_longer_fits_its_digest_was_edited() -> None:
    """Without a digest nobody knows; a field of a later pack that is empty changes none."""
    assert is_edited(stored(description="Mine."))
    assert not is_edited(stored(description="Mine.", tags=["venice", "venice-core"]))
    assert not was_edited(
        stored(), wanted_fields(RECORD, None, "local") | {"of_a_later_pack": None}
    )
