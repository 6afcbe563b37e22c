"""The models of the local Venice: real ids, with the limits that each one states.

What no source tells of a model is made up, and named in catalogue.json under `invented`.
"""

import difflib
import functools
import json
from importlib.resources import files
from typing import Any

from sanctum_venice_tools.emulator.errors import ApiError, custom, standard
from sanctum_venice_tools.emulator.facts import quoted

Model = dict[str, Any]


class Catalogue:
    """What GET /models lists, and how a name in a request becomes one of its models."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.models: list[Model] = document["models"]
        self.compatibility: dict[str, dict[str, str]] = document["compatibility"]
        # The models that are gone, each with what Venice names in its place.
        self.retired: dict[str, str] = document["retired"]
        self._by_id: dict[str, Model] = {model["id"]: model for model in self.models}

    def listed(self, kind: str) -> list[Model]:
        """The models of one type; `code` and `all` cut across the types."""
        if kind == "all":
            return self.models
        if kind == "code":
            return [
                model
                for model in self.listed("text")
                if model["model_spec"]["capabilities"]["optimizedForCode"]
            ]
        return [model for model in self.models if model["type"] == kind]

    def traits(self, kind: str) -> dict[str, str]:
        """Each trait of a type, and the one model that has it."""
        return {
            trait: model["id"]
            for model in reversed(self.listed(kind))
            for trait in model["model_spec"].get("traits", [])
        }

    def find(self, name: str, *kinds: str) -> Model:
        """The model that a request means: by id, by trait, or by the name of another maker's."""
        for kind in kinds:
            known = self.traits(kind) | self.compatibility.get(kind, {})
            model = self._by_id.get(known.get(name, name))
            if model and model["type"] == kind:
                if model["model_spec"].get("offline"):
                    raise standard(503, f"The model {model['id']} is temporarily offline.")
                return model
        raise self._not_found(name, kinds)

    def _not_found(self, name: str, kinds: tuple[str, ...]) -> ApiError:
        """A model that is not there, with what Venice suggests instead."""
        if successor := self.retired.get(name):
            return standard(
                404, f"The model {name} has been deprecated. Please use {successor} instead."
            )
        ids = [model["id"] for kind in kinds for model in self.listed(kind)]
        near = difflib.get_close_matches(name, ids, n=1)
        hint = f". Did you mean {near[0]}?" if near else ""
        return standard(404, f"Specified model not found: {name}{hint}")


@functools.cache
def catalogue() -> Catalogue:
    """The committed catalogue."""
    return Catalogue(json.loads(files(__package__).joinpath("catalogue.json").read_bytes()))


def model_headers(model: Model) -> dict[str, str]:
    """The headers that name the model of a reply, and warn of its end."""
    spec = model["model_spec"]
    headers = {"x-venice-model-id": model["id"], "x-venice-model-name": spec["name"]}
    if deprecation := spec.get("deprecation"):
        day = deprecation["date"]
        warning = f"The model {model['id']} will be retired on {day[:10]}."
        headers |= {
            "x-venice-model-deprecation-warning": warning,
            "x-venice-model-deprecation-date": day,
            "x-venice-deprecated": "true",
        }
        if replacement := deprecation.get("replacementModelId"):
            headers["x-venice-deprecated-replacement"] = replacement
    return headers


def one_of(field: str, value: Any, allowed: list[Any]) -> None:
    """Refuse a value that a model does not list, naming those that it does."""
    if value not in allowed:
        expected = quoted(allowed)
        raise custom(
            field,
            f"Invalid value. Expected {expected}, received '{value}'",
            expected=expected,
            received=value,
        )


def within(field: str, text: str, limit: float | None, unit: str = "character(s)") -> None:
    """Refuse a text that is longer than a model's own limit."""
    if limit and len(text) > limit:
        raise custom(field, f"String must contain at most {limit} {unit}", maximum=limit)


def unsupported(model: Model, field: str) -> ApiError:
    """A setting that the model lacks."""
    return custom(field, f"{field} is not supported by this model: {model['id']}")


def price_of_tokens(model: Model, *, read: int, written: int) -> float:
    """What tokens cost with a model, in USD; its prices are for a million of them."""
    pricing = model["model_spec"]["pricing"]
    usd = read * pricing["input"]["usd"] + written * pricing["output"]["usd"]
    return float(usd) / 1e6
