"""Choosing a model: the caller's, else the operator's, else the one that Venice recommends."""

import difflib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sanctum_venice_tools.runtime.replies import _number_of, _object_of, _objects_in, _text_of
from sanctum_venice_tools.runtime.venice import _REMARKS, VeniceError, _call


@dataclass(frozen=True)
class _Model:
    """The model that was chosen for a call."""

    id: str
    spec: dict[str, Any]
    notes: list[str]


@dataclass(frozen=True)
class _End:
    """That a model is about to go, as Venice tells it."""

    day: str
    replacement: str
    """The model that Venice names in its place, if it names one."""


def _pick_model(
    kind: str,
    wanted: str,
    *,
    setting: str,
    needs: str = "",
    usual: str = "",
    fits: Callable[[dict[str, Any]], Any] = bool,
) -> _Model:
    """The model `wanted`, else the operator's (variable `setting`), else the `usual`, else Venice's; it can `needs`."""
    listed = _list_models(kind)
    live = [model for model in listed if not model["model_spec"].get("offline") and fits(model)]
    able = [model for model in live if all(map(model["model_spec"].get("capabilities", {}).get, needs.split()))]
    able.sort(key=lambda model: _rank(model, usual))
    named = wanted.strip() or os.environ.get(setting, "").strip()
    if able and not named:
        return _chosen(able[0])

    found = _find_able(kind, named, able)
    if found:
        notes = [] if found["id"] == named else [f"Took the model {found['id']:.80} for {named!r:.80}."]
        return _chosen(found, notes)
    if able and not wanted.strip():
        return _go_on_without(setting, named, able, listed)
    if not named:
        told = f"Venice has no {kind} model now that can do this, or none that this key may use"
        raise VeniceError(f"{told}. Ask for something else.")
    use = _near(named, able) or "none, for Venice has no such model now, or none that this key may use"
    raise VeniceError(f"There is no {kind} model {named!r:.80} fit for this. Leave it out, or use: {use}.")


def _find_able(kind: str, named: str, able: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The model of a name: its own, with settings behind it, or another maker's for which Venice has a stand-in."""
    found = _find_model(named, able)
    if not found and kind == "text":
        # A name may end with features of Venice: zai-org-glm-5-2:enable_web_search=on
        name, colon, features = named.partition(":")
        plain = _find_model(name, able)
        found = plain and plain | {"id": plain["id"] + colon + features}
    if not found and named:
        found = _find_model(_stand_in(kind, named), able)
    return found


def _near(named: str, models: list[dict[str, Any]]) -> str:
    """The names that are nearest to one."""
    return ", ".join(difflib.get_close_matches(named, [model["id"] for model in models], n=5, cutoff=0.0))


def _chosen(model: dict[str, Any], notes: Sequence[str] = ()) -> _Model:
    """A model as the choice for this call; that it is about to go, the reply tells once."""
    _REMARKS[:] = _remarks_on(model)
    return _Model(model["id"], model["model_spec"], [*notes])


def _remarks_on(model: dict[str, Any]) -> list[str]:
    """What to say of a model that is about to go: its last day, and what to take then."""
    end = _read_end(model["model_spec"])
    if not end.day:
        return []
    then = f" Then take {end.replacement}." if end.replacement else ""
    return [f"Venice lists the model {model['id']:.80} until {end.day}.{then}"]


def _read_end(spec: dict[str, Any]) -> _End:
    """When a model will be gone; empty, if nothing is said of that."""
    told = _object_of(spec.get("deprecation"))
    moment = _text_of(told.get("removesAt")) or _text_of(told.get("date"))
    return _End(moment[:10], _text_of(told.get("replacementModelId"))[:80])


def _list_models(kind: str) -> list[dict[str, Any]]:
    """What Venice lists of a type: each with an id, a type, and a model_spec."""
    listed, _ = _call("GET", "/models", params={"type": kind})
    return [
        {**model, "type": _text_of(model.get("type")) or kind}
        for model in _objects_in(_object_of(listed).get("data"))
        if _text_of(model.get("id")) and isinstance(model.get("model_spec"), dict)
    ]


def _find_model(wanted: str, models: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first model of an id or trait, in any case; a provider's name may stand before it: venice/zai-org-glm-5-2."""
    name = wanted.lower()
    for spelling in (name, name.partition("/")[2]):
        for model in models:
            names = [model["id"], *(model["model_spec"].get("traits") or [])]
            if spelling in map(str.lower, names):
                return model
    return None


def _stand_in(kind: str, foreign: str) -> str:
    """What Venice runs in place of another maker's model, by its own list; nothing, if it has none."""
    listed, _ = _call("GET", "/models/compatibility_mapping", params={"type": kind})
    known = {name.lower(): _text_of(model) for name, model in _object_of(_object_of(listed).get("data")).items()}
    name = foreign.lower()
    return known.get(name) or known.get(name.partition("/")[2]) or ""


def _rank(model: dict[str, Any], usual: str = "") -> tuple[bool, ...]:
    """Venice's default first, then the `usual` (an id or a trait), then settled, then beta, then those about to go."""
    named = [model["id"], *(spec := model["model_spec"]).get("traits", [])]
    return "default" not in named, usual not in named, bool(spec.get("deprecation")), bool(spec.get("betaModel"))


def _input_cost(spec: dict[str, Any], amount: int, *, digits: int) -> float | None:
    """What so many tokens or characters cost a model to read, in USD; None, if its price for a million is not told."""
    price = spec.get("pricing", {}).get("input", {}).get("usd")
    if price is None:
        return None
    cost: float = price * amount / 1e6
    return round(cost, digits)


# --- in place of the operator's model ---

# Of a model's prices, those that say nothing of the price of a plain call.
_SIDE_PRICES = ("cache", "extended", "upscale")


def _go_on_without(setting: str, named: str, able: list[dict[str, Any]], listed: list[dict[str, Any]]) -> _Model:
    """The model that is taken without the operator's setting, whose model can't be had; an error, if it may be dear."""
    taken = able[0]
    known = _find_model(named, listed)  # it is offline, or can't do what is asked for
    why = "can't be used for this now" if known else "Venice does not have"
    fault = f"{setting} names the model {named!r:.80}, which {why}; only the operator can change that setting"
    # What a model cost that is gone, nobody tells: then the usual price is what counts.
    basis = _prices(known) if known else _usual_prices(able)
    if _is_at_most_twice(_prices(taken), basis) and not (known and _tells_more(taken, known)):
        price = "at most twice its price" if known else "its price is not known; at most twice the usual one"
        return _chosen(taken, [f"{fault}. Took {taken['id']:.80} ({price})."])
    doubt = f"Without it {taken['id']:.80} would be taken, which may cost more than twice as much, or be less private"
    raise VeniceError(f"{fault}. {doubt}: name a model in this call ({_near(named, able)}), or ask the operator.")


def _tells_more(taken: dict[str, Any], known: dict[str, Any]) -> bool:
    """Whether one model is private and the other, which is taken, is not."""
    was_private = known["model_spec"].get("privacy") == "private"
    return bool(was_private and taken["model_spec"].get("privacy") != "private")


def _is_at_most_twice(prices: dict[str, float], basis: dict[str, float]) -> bool:
    """Whether prices are at most twice others, by each unit that both have; not, if there is none."""
    units = prices.keys() & basis.keys()
    return bool(units) and all(prices[unit] <= 2 * basis[unit] for unit in units)


def _usual_prices(models: list[dict[str, Any]]) -> dict[str, float]:
    """By unit, the price in the middle of those that models have, the lower of two."""
    found: dict[str, list[float]] = {}
    for model in models:
        for unit, usd in _prices(model).items():
            found.setdefault(unit, []).append(usd)
    return {unit: sorted(prices)[(len(prices) - 1) // 2] for unit, prices in found.items()}


def _prices(model: dict[str, Any]) -> dict[str, float]:
    """The highest price of a model in USD, by the unit that it is for, such as "input" or "generation"."""
    pricing = _object_of(model["model_spec"].get("pricing"))
    amounts = {unit: [*_amounts(price)] for unit, price in pricing.items() if not unit.startswith(_SIDE_PRICES)}
    return {unit: max(found) for unit, found in amounts.items() if found}


def _amounts(node: Any) -> Iterator[float]:
    """Every price in USD within a part of a model's pricing."""
    for name, value in _object_of(node).items():
        usd = _number_of(value)
        if name == "usd" and usd is not None:
            yield usd
        else:
            yield from _amounts(value)
