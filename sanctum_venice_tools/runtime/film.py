"""Films: what a caller wants becomes the body of a job, and the question for its price."""

import json
from dataclasses import dataclass
from typing import Any

from sanctum_venice_tools.runtime.film_media import _MOST_MB_TOGETHER, _TOO_LARGE
from sanctum_venice_tools.runtime.film_models import _fit, _pick_film_model
from sanctum_venice_tools.runtime.film_wish import _read_wish
from sanctum_venice_tools.runtime.models import _Model
from sanctum_venice_tools.runtime.offers import _cheapest
from sanctum_venice_tools.runtime.venice import VeniceError


@dataclass(frozen=True)
class _FilmPlan:
    """A film that is settled: what to queue, what to ask the price of, and what to say of it."""

    model: _Model
    body: dict[str, Any]
    quoted: dict[str, Any]
    notes: list[str]
    limits: dict[str, Any]
    """What else its model's films may be like."""
    price_is_least: bool


def _plan_film(
    model: str,
    settings: dict[str, Any],
    options: dict[str, Any] | None,
    *,
    kind: str = "",
    **content: Any,
) -> _FilmPlan:
    """Settle a film, and say what was chosen on the caller's behalf.

    Content is the prompt and the media. A mere quote has none, and says by `kind` of what the film
    is to be made, as `made_of` of a wish does.
    """
    wish = _read_wish(settings, options, kind, content)
    if wish.is_cheapest and model:
        raise VeniceError("Give a model, or the option choose, and not both: one of them decides.")
    fitted = _cheapest(wish) if wish.is_cheapest else _fit(_pick_film_model(model, wish), wish)

    body = fitted.settings | wish.content
    if len(json.dumps(body)) > _MOST_MB_TOGETHER << 20:
        raise VeniceError(_TOO_LARGE)
    references = wish.references
    price_is_least = references.seconds is not None and not references.are_measured
    return _FilmPlan(fitted.model, body, fitted.quoted, fitted.notes, fitted.limits, price_is_least)
