"""Schemas: what each annotation becomes, what is refused, and that what is committed is what the tools say."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, TypedDict

import pytest

from sanctum_venice_tools.packing.bundle import LONGEST_NAME, tool_files
from sanctum_venice_tools.packing.schema import SchemaError, build_schema, schema_of, schema_text

PROJECT = Path(__file__).resolve().parents[2]
COMMITTED = PROJECT / "tool_schemas"
TYPES = {"string", "integer", "number", "boolean", "array", "object"}
"""The types that Letta's tool_parser_helper.convert_param_to_str_value knows."""

DOCSTRING = """Say a word.

Args:
    word: What to say.

Returns:
    JSON: said.
"""


class Box(TypedDict):
    """A type with fields, which a flat schema can't show."""

    size: int


def tool_of(annotation: Any, docstring: str = DOCSTRING) -> Callable[..., str]:
    """A tool whose one parameter has this annotation."""

    def venice_demo(*, word: Any) -> str:
        return str(word)

    venice_demo.__annotations__["word"] = annotation
    venice_demo.__doc__ = docstring
    return venice_demo


def faults_of(tool: Callable[..., str]) -> list[str]:
    """What is wrong with a tool's signature and docstring."""
    with pytest.raises(SchemaError) as refused:
        build_schema(tool)
    return str(refused.value).split("\n")


FLAT = {
    "str": (str, {"type": "string"}),
    "int": (int, {"type": "integer"}),
    "float": (float, {"type": "number"}),
    "bool": (bool, {"type": "boolean"}),
    "literal": (Literal["on", "auto"], {"type": "string", "enum": ["on", "auto"]}),
    "list": (list[str], {"type": "array", "items": {"type": "string"}}),
    "list of literals": (
        list[Literal["a"]],
        {"type": "array", "items": {"type": "string", "enum": ["a"]}},
    ),
    "list of lists": (
        list[list[int]],
        {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
    ),
    "list of dicts": (list[dict[str, Any]], {"type": "array", "items": {"type": "object"}}),
    "bare dict": (dict, {"type": "object"}),
    "dict": (dict[str, Any], {"type": "object"}),
    "int or None": (int | None, {"type": "integer"}),
    "None or str": (None | str, {"type": "string"}),
    "optional": (Optional[bool], {"type": "boolean"}),  # noqa: UP045  # the old spelling means the same
    "literal or None": (Literal["a"] | None, {"type": "string", "enum": ["a"]}),
    "list or None": (list[str] | None, {"type": "array", "items": {"type": "string"}}),
    "as text": ("int | None", {"type": "integer"}),
}


@pytest.mark.parametrize(("annotation", "flat"), FLAT.values(), ids=FLAT)
def test_shows_an_annotation_flat(annotation: Any, flat: dict[str, Any]) -> None:
    """Each form that a parameter may have becomes one plain type, with its values or items where they are closed."""
    properties = build_schema(tool_of(annotation))["parameters"]["properties"]

    assert {"word": flat | {"description": "What to say."}} == properties


NOT_FLAT = {
    "union": (int | str, "int | str"),
    "union and None": (int | str | None, "int | str | None"),
    "None": (None, "None"),
    "any": (Any, "typing.Any"),
    "bytes": (bytes, "<class 'bytes'>"),
    "bare list": (list, "<class 'list'>"),
    "list of unions": (list[int | str], "int | str"),
    "tuple": (tuple[int, int], "tuple[int, int]"),
    "set": (set[str], "set[str]"),
    "literal of numbers": (Literal[1, 2], "typing.Literal[1, 2]"),
    "literal with None": (Literal["a", None], "typing.Literal['a', None]"),  # noqa: PYI061  # it is what is refused
    "typed dict": (Box, f"{Box}"),
    "annotated": (Annotated[str, "short"], "typing.Annotated[str, 'short']"),
}


@pytest.mark.parametrize(("annotation", "shown"), NOT_FLAT.values(), ids=NOT_FLAT)
def test_refuses_an_annotation_without_a_plain_type(annotation: Any, shown: str) -> None:
    """What Letta could not convert is refused in one line that names tool, parameter and annotation."""
    fault = f"venice_demo: word: Letta needs one plain type, which {shown} is not"

    assert [fault] == faults_of(tool_of(annotation))


def test_says_the_whole_schema() -> None:
    """Name, description with what comes back, parameters in their order; what has a default is not required."""

    def venice_demo(
        *, first: str, second: int | None = None, third: Literal["a", "b"], fourth: str = ""
    ) -> str:
        """Say words.

        A long
        description: with a colon.

        Args:
            first: One line.
            second: More than
                one line: with a colon,
                and (brackets).
            third: "a" or "b".
            fourth: The last.

        Returns:
            JSON: said, and
                what was said.
        """
        return f"{first}{second}{third}{fourth}"

    assert {
        "name": "venice_demo",
        "description": "Say words. A long description: with a colon. Returns JSON: said, and what was said.",
        "parameters": {
            "type": "object",
            "properties": {
                "first": {"type": "string", "description": "One line."},
                "second": {
                    "type": "integer",
                    "description": "More than one line: with a colon, and (brackets).",
                },
                "third": {"type": "string", "enum": ["a", "b"], "description": '"a" or "b".'},
                "fourth": {"type": "string", "description": "The last."},
            },
            "required": ["first", "third"],
        },
    } == build_schema(venice_demo)


def test_takes_returns_without_a_type() -> None:
    """What comes back may be said in a sentence, without `JSON:` before it."""
    tool = tool_of(str, DOCSTRING.replace("JSON: said.", "The word itself."))

    assert "Say a word. Returns The word itself." == build_schema(tool)["description"]


def test_needs_no_parameters() -> None:
    """A tool without parameters has an empty object of them."""

    def venice_demo() -> str:
        """Say something.

        Returns:
            JSON: said.
        """
        return ""

    assert {"type": "object", "properties": {}, "required": []} == build_schema(venice_demo)[
        "parameters"
    ]


DOCSTRING_FAULTS = {
    "not described": (
        DOCSTRING.replace("word: What", "other: What"),
        ["word is not described under Args", "Args describes other, which is no parameter"],
    ),
    "described emptily": (
        DOCSTRING.replace(" What to say.", ""),
        ["word is not described under Args"],
    ),
    "one too many": (
        DOCSTRING.replace("\n\nReturns", "\n    other: More.\n\nReturns"),
        ["Args describes other, which is no parameter"],
    ),
    "no Returns": (
        DOCSTRING.partition("Returns")[0],
        ["the docstring needs a first line and a Returns section"],
    ),
    "no first line": (
        DOCSTRING.removeprefix("Say a word."),
        ["the docstring needs a first line and a Returns section"],
    ),
    "no docstring": (
        "",
        [
            "word is not described under Args",
            "the docstring needs a first line and a Returns section",
        ],
    ),
}


@pytest.mark.parametrize(("docstring", "faults"), DOCSTRING_FAULTS.values(), ids=DOCSTRING_FAULTS)
def test_refuses_a_docstring_that_does_not_fit(docstring: str, faults: list[str]) -> None:
    """Args and the signature name the same parameters, and a first line and Returns are there."""
    assert [f"venice_demo: {fault}" for fault in faults] == faults_of(tool_of(str, docstring))


def test_tells_all_faults_at_once() -> None:
    """Whoever writes a tool reads every fault of its signature and docstring in one go."""
    assert [
        "venice_demo: word is not described under Args",
        "venice_demo: Args describes other, which is no parameter",
        "venice_demo: the docstring needs a first line and a Returns section",
        "venice_demo: word: Letta needs one plain type, which <class 'bytes'> is not",
    ] == faults_of(tool_of(bytes, "Say.\n\nArgs:\n    other: More.\n"))


# --- the shipped tools ---


@pytest.mark.parametrize("name", tool_files())
def test_has_a_shape_that_letta_accepts(name: str) -> None:
    """A tool's schema is named like its file, within Letta's length, and each property has one plain type."""
    schema = schema_of(name)
    properties = schema["parameters"]["properties"]

    assert tool_files()[name].stem == schema["name"]
    assert len(schema["name"]) <= LONGEST_NAME
    assert ["name", "description", "parameters"] == list(schema)
    assert {"type": "object"} == {
        key: schema["parameters"][key]
        for key in schema["parameters"].keys() - {"properties", "required"}
    }
    assert {*schema["parameters"]["required"]} <= {*properties}
    for spec in properties.values():
        assert isinstance(spec["type"], str)
        assert spec["type"] in TYPES
        assert spec["description"]
        assert spec.keys() <= {"type", "description", "enum", "items"}


@pytest.mark.parametrize("name", tool_files())
def test_is_committed_as_generated(name: str) -> None:
    """What lies in tool_schemas/ is what the tool says now; `make schemas` writes it."""
    assert schema_text(name) == (COMMITTED / f"{name}.json").read_text(encoding="utf-8")


def test_commits_no_schema_of_a_tool_that_is_gone() -> None:
    """Every committed schema has its tool."""
    assert [*tool_files()] == sorted(path.stem for path in COMMITTED.iterdir())
