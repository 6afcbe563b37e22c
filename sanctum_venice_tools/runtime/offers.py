"""The cheapest film: the models that fit are asked for their prices, which is free."""

import time
from dataclasses import dataclass, replace

from sanctum_venice_tools.runtime.film_models import _fit, _Fitted, _makes, _pick_film_model
from sanctum_venice_tools.runtime.film_wish import _Wish
from sanctum_venice_tools.runtime.jobs import _quote
from sanctum_venice_tools.runtime.listing import _list_models
from sanctum_venice_tools.runtime.models import _chosen, _is_private, _Model, _rank
from sanctum_venice_tools.runtime.venice import VeniceError, _seconds_left

_MOST_QUOTES = 24
_MOST_SECONDS = 40

# Of Venice's answers, those that say something of one model, and nothing of the next. A model that
# does not fit is found out here, before anything is sent: its error has no status.
_OF_ONE_MODEL = (None, 400, 403, 404, 500, 503)


@dataclass(frozen=True)
class _Offer:
    """A film as one model would make it, for a price in USD."""

    fitted: _Fitted
    price: float


def _cheapest(wish: _Wish) -> _Fitted:
    """The film that is wanted, as the model makes it that asks least for it."""
    offers = _ask_for_offers(wish)
    first, *others = sorted(offers, key=lambda offer: offer.price)
    note = f"The cheapest of {len(offers)} models that fit, at {first.price:g} USD"
    if others:
        note += f"; then {others[0].fitted.model.id:.80} at {others[0].price:g}"
    model = _chosen({"id": first.fitted.model.id, "model_spec": first.fitted.model.spec})
    return replace(first.fitted, model=model, notes=[*first.fitted.notes, f"{note}."])


def _ask_for_offers(wish: _Wish) -> list[_Offer]:
    """What the models that fit ask for such a film; an error, if none of them makes it."""
    until = time.monotonic() + min(_MOST_SECONDS, _seconds_left() / 2)
    offers: list[_Offer] = []
    told = "none of them begins with what was given"
    for model in _candidates(wish):
        if len(offers) == _MOST_QUOTES or time.monotonic() > until:
            break
        try:
            fitted = _fit(model, wish)
            offers.append(_Offer(fitted, _quote("video", fitted.quoted)))
        except VeniceError as error:
            if error.status not in _OF_ONE_MODEL:
                raise
            told = str(error)
    if not offers:
        raise VeniceError(
            f"Of Venice's models, none makes such a film. The last that was looked at: {told}"
        )
    return offers


def _candidates(wish: _Wish) -> list[_Model]:
    """The models that make such films and can be had, those that Venice recommends first.

    Where the one that would be taken without this wish is private, only private ones are asked.
    """
    listed = _list_models("video")
    usual = _pick_film_model("", wish, listed)
    must_be_private = _is_private(usual.spec)
    found = []
    for model in sorted(listed, key=_rank):
        spec = model["model_spec"]
        is_open = must_be_private and not _is_private(spec)
        if _makes(wish, listed, model) and not spec.get("offline") and not is_open:
            found.append(_Model(model["id"], spec, []))
    return found
