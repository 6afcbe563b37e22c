import importlib.util
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from sanctum_venice_tools.emulator.app import ENDPOINTS
from sanctum_venice_tools.emulator.catalogue import catalogue
from sanctum_venice_tools.emulator.facts import Schema, facts, operations

PROJECT = Path(__file__).parents[2]
DOCUMENT = PROJECT.parent / "shared" / "venice" / "openapi.yaml"
KINDS = {
    "asr",
    "decision",
    "embedding",
    "image",
    "inpaint",
    "music",
    "text",
    "tts",
    "upscale",
    "video",
}


@pytest.fixture(scope="module")
def distil() -> Any:
    """scripts/distil_openapi.py as a module."""
    spec = importlib.util.spec_from_file_location(
        "distil_openapi", PROJECT / "scripts" / "distil_openapi.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(
    not DOCUMENT.exists(), reason="Venice's document does not lie beside the project"
)
def test_facts_are_up_to_date(distil: Any) -> None:
    """facts.json is what the script makes of Venice's document."""
    distilled = distil.distil(distil.read_document(DOCUMENT))

    assert distil.lay_out(distilled) + "\n" == distil.FACTS.read_text(encoding="utf-8")


def test_yaml_scalars_stay_what_they_are(distil: Any) -> None:
    """`off` and `16:9` are texts, as in YAML 1.2, not a boolean and a number."""
    text = "[off, on, 16:9, true, 12, 0.5, 2025-05-07, true_1080p, null]"

    loaded = yaml.load(text, distil.Loader)  # noqa: S506 - a SafeLoader

    assert loaded == ["off", "on", "16:9", True, 12, 0.5, "2025-05-07", "true_1080p", None]


def test_openapi_becomes_json_schema(distil: Any) -> None:
    """Nullable types, exclusive bounds and references take JSON Schema's form; prose goes."""
    schema = {
        "type": "object",
        "description": "prose",
        "properties": {
            "size": {
                "type": "integer",
                "nullable": True,
                "minimum": 0,
                "exclusiveMinimum": True,
                "example": 4,
            },
            "mood": {"type": "string", "nullable": True, "enum": ["calm"]},
            "limit": {"anyOf": [{"type": "number"}, {"nullable": True, "title": "none"}]},
            "other": {"$ref": "#/components/schemas/Other"},
            "anything": {"nullable": True},
        },
    }

    assert distil.distil_schema(schema) == {
        "type": "object",
        "properties": {
            "size": {"type": ["integer", "null"], "exclusiveMinimum": 0},
            "mood": {"type": ["string", "null"], "enum": ["calm", None]},
            "limit": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "other": {"$ref": "#/$defs/Other"},
            "anything": {},
        },
    }


def test_amendment_is_laid_over_the_document(distil: Any) -> None:
    """Objects are merged, lists are added to, all else is replaced, at every place that the target names."""
    document = {"a": {"kept": 1, "list": [1], "value": 1}, "b": {"list": [1]}}

    distil.amend(document, {"target": "$.*", "update": {"list": [2], "value": 2, "new": {"x": 1}}})

    assert document == {
        "a": {"kept": 1, "list": [1, 2], "value": 2, "new": {"x": 1}},
        "b": {"list": [1, 2], "value": 2, "new": {"x": 1}},
    }


def test_amendment_can_remove(distil: Any) -> None:
    """What a target names is taken out of its object or list."""
    document = {"statuses": {"200": {}, "404": {}}, "names": ["a", "b"]}

    distil.amend(document, {"target": "$.statuses['404']", "remove": True})
    distil.amend(document, {"target": "$.names[0]", "remove": True})

    assert document == {"statuses": {"200": {}}, "names": ["b"]}


def test_amendment_of_a_place_that_is_gone_is_an_error(distil: Any) -> None:
    """When a newer document has moved what an amendment changes, the amendment is named."""
    with pytest.raises(
        click.ClickException, match=re.escape("the document has no $.paths['/gone'].")
    ):
        distil.amend({"paths": {}}, {"target": "$.paths['/gone']", "update": {"post": {}}})


def test_amendment_that_changes_nothing_is_named(
    distil: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a newer document says itself need not be amended any more."""
    amendments = tmp_path / "amendments.yaml"
    amendments.write_text("actions: [{description: A is one., target: $, update: {a: 1}}]\n")
    monkeypatch.setattr(distil, "AMENDMENTS", amendments)
    document = tmp_path / "openapi.yaml"
    document.write_text("a: 1\n")

    assert distil.read_document(document) == {"a": 1}
    assert "the document says this itself, remove it: A is one." in capsys.readouterr().err


def test_every_amendment_says_whence_and_when(distil: Any) -> None:
    """Each amendment has a line of words, a source and a day."""
    for action in distil.read_yaml(distil.AMENDMENTS)["actions"]:
        assert action["description"]
        assert action["x-source"]
        assert re.fullmatch(r"2026-\d\d-\d\d", str(action["x-day"])), action


def test_changes_name_the_tools_that_call(distil: Any) -> None:
    """After a newer document, each operation that changed is told with the tools that call it."""
    before = {
        "paths": {
            "/chat/completions": {"post": {"$ref": "#/$defs/Chat"}},
            "/gone": {"get": {}},
            "/models": {"get": {}},
            "/video/queue": {"post": {}},
        },
        "$defs": {"Chat": {"type": "object"}},
    }
    after = {
        "paths": {
            "/chat/completions": {"post": {"$ref": "#/$defs/Chat"}},
            "/models": {"get": {}},
            "/new": {"post": {}},
            "/video/queue": {"post": {"access": ["public"]}},
        },
        "$defs": {"Chat": {"type": "array"}},
    }

    chat, *others, queue = distil.changes(before, after)

    assert chat.startswith("changed: POST /chat/completions: venice_")
    assert "venice_chat" in chat
    assert "venice_queue_video" in queue
    assert others == ["gone: GET /gone: no tool", "new: POST /new: no tool"]


def test_every_schema_is_one() -> None:
    """All of facts.json is valid JSON Schema."""
    for schema in facts()["$defs"].values():
        Draft202012Validator.check_schema(schema)
    for operation in operations().values():
        for content in (operation.requests, *operation.responses.values()):
            for body in content.values():
                Draft202012Validator.check_schema(body.schema)


@pytest.mark.parametrize(
    "path",
    [
        "/chat/completions",
        "/image/generate",
        "/images/generations",
        "/image/edit",
        "/image/multi-edit",
        "/image/background-remove",
        "/responses",
        "/video/queue",
    ],
)
def test_request_may_name_for_whom_it_is_made(path: str) -> None:
    """A short name in ASCII is taken, one with the two bars that Venice joins names by is not."""
    schema = operations()[path, "post"].requests["application/json"]

    refused = [
        name
        for name in ("reader 7", "a|b", "", "a||b", "F\u00fcchse", "x" * 129)
        if any("anon_user_id" in str(issue) for issue in schema.issues({"anon_user_id": name}))
    ]

    assert refused == ["a||b", "F\u00fcchse", "x" * 129]


def test_every_documented_operation_answers() -> None:
    """The local Venice has an endpoint for each operation of the document, and no other."""
    assert {(method, path) for path, method in operations()} == set(ENDPOINTS)


@pytest.mark.parametrize("model", catalogue().models, ids=lambda model: model["id"])
def test_model_is_as_documented(model: dict[str, Any]) -> None:
    """Each model of the catalogue fits the schema of GET /models."""
    assert Schema({"$ref": "#/$defs/ModelResponse"}).issues(model) == []


def test_catalogue_has_every_kind_of_model() -> None:
    """There are models of every type, and offline, beta and deprecated ones."""
    models = catalogue().models

    assert {model["type"] for model in models} == KINDS
    for mark in ("offline", "beta", "betaModel", "deprecation"):
        assert any(model["model_spec"].get(mark) for model in models), mark


def test_what_is_invented_is_named() -> None:
    """What no source tells of a model is named beside the catalogue: a field that the model has."""
    document = json.loads(
        files("sanctum_venice_tools.emulator").joinpath("catalogue.json").read_bytes()
    )
    models = {model["id"]: model["model_spec"] for model in document["models"]}

    for name, fields in document["invented"].items():
        assert set(fields) <= {*models[name], *models[name].get("constraints", {})}


def test_foreign_names_lead_to_models() -> None:
    """Every foreign name is that of a model in the catalogue, of the type it is listed under."""
    for kind, names in catalogue().compatibility.items():
        listed = {model["id"] for model in catalogue().listed(kind)}
        assert set(names.values()) <= listed


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"type": "string"}, 1, ("invalid_type", "Expected string, received number")),
        ({"type": "integer"}, 1.5, ("invalid_type", "Expected integer, received float")),
        ({"type": ["string", "null"]}, [], ("invalid_type", "Expected string, received array")),
        (
            {"type": "number", "maximum": 2},
            3,
            ("too_big", "Number must be less than or equal to 2"),
        ),
        (
            {"type": "number", "exclusiveMinimum": 0},
            0,
            ("too_small", "Number must be greater than 0"),
        ),
        (
            {"type": "string", "minLength": 1},
            "",
            ("too_small", "String must contain at least 1 character(s)"),
        ),
        (
            {"type": "array", "maxItems": 1},
            [1, 2],
            ("too_big", "Array must contain at most 1 element(s)"),
        ),
        (
            {"enum": ["a", "b"]},
            "c",
            ("invalid_enum_value", "Invalid enum value. Expected 'a' | 'b', received 'c'"),
        ),
        ({"type": "string", "pattern": "^a$"}, "b", ("invalid_string", "Invalid")),
        ({"type": "string", "format": "uri"}, "b", ("invalid_string", "Invalid url")),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 1, ("invalid_union", "Invalid input")),
        ({"required": ["a"]}, {}, ("invalid_type", "Required")),
        (
            {"properties": {"a": {}}, "additionalProperties": False},
            {"b": 1, "c": 2},
            ("unrecognized_keys", "Unrecognized key(s) in object: 'b', 'c'"),
        ),
    ],
)
def test_faults_are_told_in_venices_words(
    schema: dict[str, Any], value: Any, expected: tuple[str, str]
) -> None:
    """Each kind of misfit gets the code and the message that Zod gives it."""
    assert [expected] == [
        (issue["code"], issue["message"]) for issue in Schema(schema).issues(value)
    ]


def test_union_speaks_of_the_branch_that_was_meant() -> None:
    """Where a role or type tells the branch of a union, only that branch's faults are told."""
    branches = [
        {"required": ["role", "id"], "properties": {"role": {"enum": ["tool"]}}},
        {"required": ["role", "text", "name"], "properties": {"role": {"enum": ["user"]}}},
    ]

    assert [issue["path"] for issue in Schema({"anyOf": branches}).issues({"role": "tool"})] == [
        ["id"]
    ]


def test_check_tells_that_a_document_differs(
    distil: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --check, another document than the one that facts.json was made of is an error, and nothing is written."""
    no_amendments = tmp_path / "amendments.yaml"
    no_amendments.write_text("actions: []\n")
    monkeypatch.setattr(distil, "AMENDMENTS", no_amendments)
    document = tmp_path / "openapi.yaml"
    document.write_text(
        "openapi: 3.0.0\ninfo: {version: '1'}\npaths: {}\ncomponents: {schemas: {}}\n"
    )
    before = distil.FACTS.read_bytes()

    checked = CliRunner().invoke(distil.main, [str(document), "--check"])

    assert (checked.exit_code, "differs" in checked.output) == (1, True)
    assert distil.FACTS.read_bytes() == before
