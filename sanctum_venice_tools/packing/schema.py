"""From a tool's signature and docstring to the JSON schema that Letta shows to a model.

Letta converts each argument by the one plain `type` of its property, so a schema is flat: no `anyOf`, no `$ref`,
no list of types. An optional argument is one that `required` leaves out. The description is the docstring's text
with what it says under Returns, for a model chooses a tool by what comes back.
"""

import inspect
import json
import types
from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal, Union, get_args, get_origin

import docstring_parser

from sanctum_venice_tools.packing.bundle import PACKAGE

SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}


class SchemaError(Exception):
    """A tool whose signature and docstring can't become a schema; the message has a line for each fault."""


def schema_of(name: str) -> dict[str, Any]:
    """The schema of one tool of the pack: name, description, parameters.

    Raises:
        SchemaError: The docstring and the signature disagree, or an annotation can't be shown flat.
    """
    return build_schema(getattr(import_module(f"{PACKAGE.name}.tools.{name}"), name))


def schema_text(name: str) -> str:
    """The schema as it is written to `tool_schemas/`."""
    return json.dumps(schema_of(name), indent=2, ensure_ascii=False) + "\n"


def build_schema(tool: Callable[..., str]) -> dict[str, Any]:
    """The schema of a function."""
    docstring = docstring_parser.parse(inspect.getdoc(tool) or "", docstring_parser.DocstringStyle.GOOGLE)
    described = {param.arg_name: " ".join((param.description or "").split()) for param in docstring.params}
    parameters = inspect.signature(tool, eval_str=True).parameters
    faults = [f"{name} is not described under Args" for name in parameters if not described.get(name)]
    faults += [f"Args describes {name}, which is no parameter" for name in described if name not in parameters]
    back = docstring.returns
    returns = ": ".join(part for part in (back.type_name, back.description) if part) if back else ""
    if not docstring.short_description or not returns:
        faults.append("the docstring needs a first line and a Returns section")
    properties = {}
    for name, parameter in parameters.items():
        try:
            properties[name] = _flatten(parameter.annotation) | {"description": described.get(name, "")}
        except TypeError as error:
            faults.append(f"{name}: {error}")
    if faults:
        raise SchemaError("\n".join(f"{tool.__name__}: {fault}" for fault in faults))
    required = [name for name, parameter in parameters.items() if parameter.default is parameter.empty]
    return {
        "name": tool.__name__,
        "description": " ".join(f"{docstring.description} Returns {returns}".split()),
        "parameters": {"type": "object", "properties": properties, "required": required},
    }


def _flatten(annotation: Any) -> dict[str, Any]:
    """The schema of one argument: a plain type, with the values or the items where they are closed.

    Raises:
        TypeError: The annotation has no plain type.
    """
    if get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not types.NoneType]
        if len(members) == 1:
            return _flatten(members[0])
    if annotation in SCALARS:
        return {"type": SCALARS[annotation]}
    if get_origin(annotation) is Literal and all(isinstance(value, str) for value in get_args(annotation)):
        return {"type": "string", "enum": list(get_args(annotation))}
    if get_origin(annotation) is list:
        return {"type": "array", "items": _flatten(get_args(annotation)[0])}
    if get_origin(annotation) is dict or annotation is dict:
        return {"type": "object"}
    raise TypeError(f"Letta needs one plain type, which {annotation} is not")
