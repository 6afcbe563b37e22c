"""Choosing a model: the caller's, else the operator's, else the one that Venice recommends."""

import difflib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sanctum_venice_tools.runtime.listing import _list_models, _Listed
from sanctum_venice_tools.runtime.replies import _number_of, _object_of, _text_of
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
    fits: Callable[[_Listed], Any] = bool,
    listed: list[_Listed] | None = None,
) -> _Model:
    """The model `wanted`, else the operator's, else the `usual`, else Venice's.

    Args:
        kind: The type of models that are looked through, in Venice's words.
        wanted: The id or trait that the caller names, if any.
        setting: The environment variable in which the operator may name one.
        needs: Capabilities that the model must have, with spaces between them.
        usual: The id or trait that is taken before others when nobody names one.
        fits: What else must hold of a model, of which it gets Venice's row.
        listed: The models of this type, where Venice has been asked for them already.
    """
    if listed is None:
        listed = _list_models(kind)
    able = [model for model in listed if _is_able(model, needs.split()) and fits(model)]
    able.sort(key=lambda model: _rank(model, usual))
    called_for = wanted.strip()
    named = called_for or os.environ.get(setting, "").strip()
    if able and not named:
        return _chosen(able[0])
    if not named:
        told = f"Venice has no {kind} model now that can do this, or none that this key may use"
        raise VeniceError(f"{told}. Ask for something else.")

    found = _find_able(kind, named, able)
    if found and found["id"] == named:
        return _chosen(found)
    if found:
        return _chosen(found, [f"Took the model {found['id']:.80} for {named!r:.80}."])
    if able and not called_for:
        return _go_on_without(setting, named, able, listed)

    use = _near(named, able)
    if not use:
        use = "none, for Venice has no such model now, or none that this key may use"
    raise VeniceError(
        f"There is no {kind} model {named!r:.80} fit for this. Leave it out, or use: {use}."
    )


def _is_able(model: _Listed, needs: list[str]) -> bool:
    """Whether a model can be used now, and has all of some capabilities."""
    spec = model["model_spec"]
    if spec.get("offline"):
        return False
    capabilities = spec.get("capabilities", {})
    return all(capabilities.get(need) for need in needs)


def _find_able(kind: str, named: str, able: list[_Listed]) -> _Listed | None:
    """The model of a name: its own, or another maker's for which Venice has a stand-in."""
    found = _find_model(named, able)
    if not found and kind == "text":
        found = _find_with_features(named, able)
    if not found:
        found = _find_model(_stand_in(kind, named), able)
    return found


def _find_with_features(named: str, able: list[_Listed]) -> _Listed | None:
    """The model of a name with features behind it: zai-org-glm-5-2:enable_web_search=on."""
    name, colon, features = named.partition(":")
    found = _find_model(name, able)
    if not found:
        return None
    return {**found, "id": found["id"] + colon + features}


def _near(named: str, models: list[_Listed]) -> str:
    """The names that are nearest to one."""
    ids = [model["id"] for model in models]
    nearest = difflib.get_close_matches(named, ids, n=5, cutoff=0.0)
    return ", ".join(nearest)


def _chosen(model: _Listed, notes: Sequence[str] = ()) -> _Model:
    """A model as the choice for this call; that it is about to go, the reply tells once."""
    _REMARKS[:] = _remarks_on(model)
    return _Model(model["id"], model["model_spec"], [*notes])


def _remarks_on(model: _Listed) -> list[str]:
    """What to say of a model that is about to go: its last day, and what to take then."""
    end = _read_end(model["model_spec"])
    if not end.day:
        return []
    remark = f"Venice lists the model {model['id']:.80} until {end.day}."
    if end.replacement:
        remark += f" Then take {end.replacement}."
    return [remark]


def _read_end(spec: dict[str, Any]) -> _End:
    """When a model will be gone; empty, if nothing is said of that."""
    told = _object_of(spec.get("deprecation"))
    moment = _text_of(told.get("removesAt")) or _text_of(told.get("date"))
    replacement = _text_of(told.get("replacementModelId"))
    return _End(day=moment[:10], replacement=replacement[:80])


def _find_model(wanted: str, models: list[_Listed]) -> _Listed | None:
    """The first model of an id or trait, in any case."""
    for spelling in _spellings(wanted):
        for model in models:
            names = [name.lower() for name in _names_of(model)]
            if spelling in names:
                return model
    return None


def _spellings(wanted: str) -> list[str]:
    """A name as it is, and without the provider before it, as in venice/zai-org-glm-5-2."""
    name = wanted.lower()
    _, _, without_provider = name.partition("/")
    return [name, without_provider]


def _names_of(model: _Listed) -> list[str]:
    """The id and the traits of a model."""
    traits = model["model_spec"].get("traits") or []
    return [model["id"], *traits]


def _stand_in(kind: str, foreign: str) -> str:
    """What Venice's list names in place of another maker's model; nothing, if it names none."""
    listed, _ = _call("GET", "/models/compatibility_mapping", params={"type": kind})
    stand_ins = _object_of(_object_of(listed).get("data"))
    known = {name.lower(): _text_of(model) for name, model in stand_ins.items()}
    for spelling in _spellings(foreign):
        if known.get(spelling):
            return known[spelling]
    return ""


def _rank(model: _Listed, usual: str = "") -> tuple[bool, ...]:
    """Where a model stands among others; lower goes first.

    The default, then the `usual` (an id or a trait), settled ones, beta, and those about to go.
    """
    names = _names_of(model)
    spec = model["model_spec"]
    is_ending = bool(spec.get("deprecation"))
    is_beta = bool(spec.get("betaModel"))
    return "default" not in names, usual not in names, is_ending, is_beta


def _input_cost(spec: dict[str, Any], amount: int, *, digits: int) -> float | None:
    """What a model takes to read so many tokens or characters, in USD; None, if not told."""
    price: float | None = spec.get("pricing", {}).get("input", {}).get("usd")
    if price is None:
        return None
    million = 1e6
    return round(price * amount / million, digits)


# --- in place of the operator's model ---

# Of a model's prices, those that say nothing of the price of a plain call.
_SIDE_PRICES = ("cache", "extended", "upscale")


def _go_on_without(setting: str, named: str, able: list[_Listed], listed: list[_Listed]) -> _Model:
    """The model in place of the operator's, which can't be had; an error, if it may be dear."""
    taken = able[0]
    known = _find_model(named, listed)
    if known:  # it is offline, or can't do what is asked for
        why = "can't be used for this now"
        basis = _prices(known)
        price = "at most twice its price"
    else:  # what a model cost that is gone, nobody tells: then the usual price is what counts
        why = "Venice does not have"
        basis = _usual_prices(able)
        price = "its price is not known; at most twice the usual one"

    only_operator = "only the operator can change that setting"
    fault = f"{setting} names the model {named!r:.80}, which {why}; {only_operator}"
    is_as_private = known is None or not _tells_more(taken, known)
    if is_as_private and _is_at_most_twice(_prices(taken), basis):
        return _chosen(taken, [f"{fault}. Took {taken['id']:.80} ({price})."])

    doubt = "which may cost more than twice as much, or be less private"
    ways = f"name a model in this call ({_near(named, able)}), or ask the operator"
    raise VeniceError(f"{fault}. Without it {taken['id']:.80} would be taken, {doubt}: {ways}.")


def _tells_more(taken: _Listed, known: _Listed) -> bool:
    """Whether one model is private and the other, which is taken, is not."""
    return _is_private(known["model_spec"]) and not _is_private(taken["model_spec"])


def _is_private(spec: dict[str, Any]) -> bool:
    """Whether Venice keeps nothing of what a model is asked."""
    return spec.get("privacy") == "private"


def _is_at_most_twice(prices: dict[str, float], basis: dict[str, float]) -> bool:
    """Whether prices are at most twice others, by each unit that both have.

    Where they have no unit in common, nobody knows, which counts as no.
    """
    units = prices.keys() & basis.keys()
    if not units:
        return False
    return all(prices[unit] <= 2 * basis[unit] for unit in units)


def _usual_prices(models: list[_Listed]) -> dict[str, float]:
    """By unit, the price in the middle of those that models have, the lower of two."""
    found: dict[str, list[float]] = {}
    for model in models:
        for unit, usd in _prices(model).items():
            found.setdefault(unit, []).append(usd)
    return {unit: _middle(prices) for unit, prices in found.items()}


def _middle(numbers: list[float]) -> float:
    """The number in the middle, the lower of two."""
    place = (len(numbers) - 1) // 2
    return sorted(numbers)[place]


def _prices(model: _Listed) -> dict[str, float]:
    """The highest price of a model in USD, by its unit, such as "input" or "generation"."""
    pricing = _object_of(model["model_spec"].get("pricing"))
    highest = {}
    for unit, price in pricing.items():
        amounts = list(_amounts(price))
        if amounts and not unit.startswith(_SIDE_PRICES):
            highest[unit] = max(amounts)
    return highest


def _amounts(node: Any) -> Iterator[float]:
    """Every price in USD within a part of a model's pricing."""
    for name, value in _object_of(node).items():
        usd = _number_of(value)
        if name == "usd" and usd is not None:
            yield usd
        else:
            yield from _amounts(value)
