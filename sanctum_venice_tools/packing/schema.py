"""From a tool's signature and docstring to the JSON schema that a model is shown.

There are two kinds of hosts. A Letta server writes each argument into the script that it runs: a
text as a literal, but a number, a list or an object as it came, so that a text sent in their place
would run as code; and null, sent for an integer or a boolean, ends the call before it begins (letta
0.16.8, services/helpers/tool_parser_helper.py). So Letta is told that nearly every argument is a
text, with its form in words, and the tool reads what is meant (runtime/arguments.py). Hosts that
hand over real JSON get the types that the signature has.

A schema is flat: no `anyOf`, no `$ref`, no list of types. An optional argument is one that
`required` leaves out. The description is the docstring's text with what it says under Returns, for
a model chooses a tool by what comes back.
"""

import inspect
import json
import re
import types
from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal, Union, get_args, get_origin

import docstring_parser

from sanctum_venice_tools.packing.dialect import PACKAGE

SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}

# The types that a Letta server writes into its script as literals, whatever a model sends.
SAFE_TYPES = ("string", "integer", "boolean")

# The form of an argument that Letta is told is a text, and what in a description shows it already.
FORMS = {
    "integer": ("Whole number.", r"\d"),
    "number": ("Number.", r"\d"),
    "boolean": ("true or false.", r"(?i)\b(true|false)\b"),
    "object": ("JSON object.", r"\{"),
    "array": ("JSON list.", r"\["),
}


class SchemaError(Exception):
    """A tool whose signature and docstring can't become a schema; a line for each fault."""


def schema_of(name: str) -> dict[str, Any]:
    """The schema of one tool of the pack as a Letta server gets it: name, description, parameters.

    Raises:
        SchemaError: The docstring and the signature disagree, or an annotation can't be shown flat.
    """
    return letta_schema(typed_schema_of(name))


def typed_schema_of(name: str) -> dict[str, Any]:
    """The schema of one tool, for hosts that hand over real JSON: with the types of its signature.

    Raises:
        SchemaError: As for `schema_of`.
    """
    return build_schema(getattr(import_module(f"{PACKAGE.name}.tools.{name}"), name))


def schema_text(name: str) -> str:
    """The schema as it is written to `tool_schemas/`."""
    return json.dumps(schema_of(name), indent=2, ensure_ascii=False) + "\n"


def summary_of(schema: dict[str, Any]) -> str:
    """The first sentence of a schema's description."""
    return str(schema["description"]).partition(". ")[0].rstrip(".")


def letta_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """A typed schema as a Letta server may get it.

    No argument of it can run as code, and null leaves it out.
    """
    parameters = schema["parameters"]
    properties = {
        name: _safe_property(spec, is_required=name in parameters["required"])
        for name, spec in parameters["properties"].items()
    }
    return schema | {"parameters": parameters | {"properties": properties}}


def _safe_property(spec: dict[str, Any], *, is_required: bool) -> dict[str, Any]:
    """An argument as it is, or as a text whose description ends with its form."""
    kind = spec["type"]
    if kind == "string" or (is_required and kind in SAFE_TYPES):
        return spec
    form, shown = FORMS[kind]
    description = spec["description"]
    if not re.search(shown, description):
        description += f" {form}"
    return {"type": "string", "description": description}


def unsafe_arguments(schema: dict[str, Any]) -> list[str]:
    """The arguments that a Letta server would write into its script as code, each with its type."""
    properties = schema.get("parameters", {}).get("properties", {})
    return [
        f"{name} ({spec.get('type')})"
        for name, spec in properties.items()
        if spec.get("type") not in SAFE_TYPES
    ]


def build_schema(tool: Callable[..., str]) -> dict[str, Any]:
    """The typed schema of a function.

    Raises:
        SchemaError: The docstring and the signature disagree, or an annotation can't be shown flat.
    """
    docstring = docstring_parser.parse(
        inspect.getdoc(tool) or "", docstring_parser.DocstringStyle.GOOGLE
    )
    parameters = inspect.signature(tool, eval_str=True).parameters
    described = {
        argument.arg_name: _on_one_line(argument.description) for argument in docstring.params
    }
    returns = _returns(docstring)

    faults = _disagreements(list(parameters), described)
    if not docstring.short_description or not returns:
        faults.append("the docstring needs a first line and a Returns section")
    properties = {}
    required = []
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty:
            required.append(name)
        try:
            kind = _flatten(parameter.annotation)
        except TypeError as error:
            faults.append(f"{name}: {error}")
        else:
            properties[name] = kind | {"description": described.get(name, "")}
    if faults:
        raise SchemaError("\n".join(f"{tool.__name__}: {fault}" for fault in faults))

    return {
        "name": tool.__name__,
        "description": _on_one_line(f"{docstring.description} Returns {returns}"),
        "parameters": {"type": "object", "properties": properties, "required": required},
    }


def _disagreements(parameters: list[str], described: dict[str, str]) -> list[str]:
    """What the docstring's Args lacks, and what it has too much."""
    missing = [
        f"{name} is not described under Args" for name in parameters if not described.get(name)
    ]
    unknown = [
        f"Args describes {name}, which is no parameter"
        for name in described
        if name not in parameters
    ]
    return missing + unknown


def _returns(docstring: docstring_parser.Docstring) -> str:
    """What stands under Returns; the parser takes what comes before a colon for a type."""
    if not docstring.returns:
        return ""
    parts = (docstring.returns.type_name, docstring.returns.description)
    return ": ".join(part for part in parts if part)


def _on_one_line(text: str | None) -> str:
    """A text with each run of white space as one space."""
    return " ".join((text or "").split())


def _flatten(annotation: Any) -> dict[str, Any]:
    """The schema of one argument: a plain type, with the values or the items where they are closed.

    Raises:
        TypeError: The annotation has no plain type.
    """
    origin = get_origin(annotation)
    members = get_args(annotation)
    if annotation in SCALARS:
        return {"type": SCALARS[annotation]}
    if origin is Literal and all(isinstance(value, str) for value in members):
        return {"type": "string", "enum": list(members)}
    if annotation == list[Any]:
        return {"type": "array", "items": {}}
    if origin is list:
        return {"type": "array", "items": _flatten(members[0])}
    if dict in (origin, annotation):
        return {"type": "object"}
    if origin in (Union, types.UnionType):
        something = [member for member in members if member is not types.NoneType]
        if len(something) == 1:
            return _flatten(something[0])
        # A tool reads both; the object says more.
        if something == [dict[str, Any], list[Any]]:
            return {"type": "object"}
    raise TypeError(f"Letta needs one plain type, which {annotation} is not")
