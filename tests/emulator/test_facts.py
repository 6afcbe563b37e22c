import importlib.util
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from sanctum_venice_tools.emulator.app import ENDPOINTS
from sanctum_venice_tools.emulator.catalogue import catalogue
from sanctum_venice_tools.emulator.facts import Schema, facts, operations

PROJECT = Path(__file__).parents[2]
DOCUMENT = PROJECT.parent / "shared" / "venice" / "openapi.yaml"
KINDS = {"asr", "embedding", "image", "inpaint", "music", "text", "tts", "upscale", "video"}


@pytest.fixture(scope="module")
def distil() -> Any:
    """scripts/distil_openapi.py as a module."""
    spec = importlib.util.spec_from_file_location("distil_openapi", PROJECT / "scripts" / "distil_openapi.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not DOCUMENT.exists(), reason="Venice's document does not lie beside the project")
def test_facts_are_up_to_date(distil: Any) -> None:
    """facts.json is what the script makes of Venice's document."""
    distilled = distil.distil(yaml.load(DOCUMENT.read_text(encoding="utf-8"), distil.Loader))  # noqa: S506 - a SafeLoader

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
            "size": {"type": "integer", "nullable": True, "minimum": 0, "exclusiveMinimum": True, "example": 4},
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


def test_every_schema_is_one() -> None:
    """All of facts.json is valid JSON Schema."""
    for schema in facts()["$defs"].values():
        Draft202012Validator.check_schema(schema)
    for operation in operations().values():
        for content in (operation.requests, *operation.responses.values()):
            for body in content.values():
                Draft202012Validator.check_schema(body.schema)


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
        ({"type": "number", "maximum": 2}, 3, ("too_big", "Number must be less than or equal to 2")),
        ({"type": "number", "exclusiveMinimum": 0}, 0, ("too_small", "Number must be greater than 0")),
        ({"type": "string", "minLength": 1}, "", ("too_small", "String must contain at least 1 character(s)")),
        ({"type": "array", "maxItems": 1}, [1, 2], ("too_big", "Array must contain at most 1 element(s)")),
        ({"enum": ["a", "b"]}, "c", ("invalid_enum_value", "Invalid enum value. Expected 'a' | 'b', received 'c'")),
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
def test_faults_are_told_in_venices_words(schema: dict[str, Any], value: Any, expected: tuple[str, str]) -> None:
    """Each kind of misfit gets the code and the message that Zod gives it."""
    assert [expected] == [(issue["code"], issue["message"]) for issue in Schema(schema).issues(value)]


def test_union_speaks_of_the_branch_that_was_meant() -> None:
    """Where a role or type tells the branch of a union, only that branch's faults are told."""
    branches = [
        {"required": ["role", "id"], "properties": {"role": {"enum": ["tool"]}}},
        {"required": ["role", "text", "name"], "properties": {"role": {"enum": ["user"]}}},
    ]

    assert [issue["path"] for issue in Schema({"anyOf": branches}).issues({"role": "tool"})] == [["id"]]


def test_check_tells_that_a_document_differs(distil: Any, tmp_path: Path) -> None:
    """With --check, another document than the one that facts.json was made of is an error, and nothing is written."""
    document = tmp_path / "openapi.yaml"
    document.write_text("openapi: 3.0.0\ninfo: {version: '1'}\npaths: {}\ncomponents: {schemas: {}}\n")
    before = distil.FACTS.read_bytes()

    checked = CliRunner().invoke(distil.main, [str(document), "--check"])

    assert (checked.exit_code, "differs" in checked.output) == (1, True)
    assert distil.FACTS.read_bytes() == before
