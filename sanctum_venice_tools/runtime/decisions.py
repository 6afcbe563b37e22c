"""Decisions: questions in whatever form a model writes them, and Venice's answers in few words."""

import json
import re
from collections.abc import Sized
from dataclasses import dataclass
from typing import Any

from sanctum_venice_tools.runtime.arguments import _NUMBER, _UNREADABLE, _read_text
from sanctum_venice_tools.runtime.replies import _number_of, _object_of, _text_of
from sanctum_venice_tools.runtime.venice import VeniceError, _given

# As many as the reply has room for.
_MOST_QUESTIONS = 50

_FORMS = (
    'Write ["Is it urgent?"] for yes or no; '
    '{"team": {"question": "Who answers?", "options": ["sales", "support"]}} for a choice; '
    '{"mood": {"question": "How angry is it?", "levels": ["calm", "cross"]}} for a score'
)

# What the parts of a question are called: by this tool first, then by Venice and by models.
_NAMES = {
    "question": ["instructions", "ask", "text", "prompt"],
    "options": ["choices", "option", "categories", "labels"],
    "levels": ["scale", "rubric", "level"],
    "criteria": ["criterion"],
    "type": ["kind"],
    "name": ["id", "key"],
}

# The parts that say what is decided between.
_BETWEEN = ("options", "levels", "criteria")

_POLES = {"true": "true", "yes": "true", "false": "false", "no": "false"}

# Between these, a yes is neither likely nor unlikely.
_LIKELY_NO = 0.4
_LIKELY_YES = 0.6

# What stands between several names in one text: "calm, cross"
_BETWEEN_NAMES = re.compile(r"\s*[,;|]\s*")


@dataclass(frozen=True)
class _Question:
    """A question: what its asker calls it, and what Venice gets of it."""

    name: str
    body: dict[str, Any]


# --- questions ---


def _read_questions(sent: dict[str, Any] | list[Any]) -> dict[str, _Question]:
    """The questions, by the ids that Venice gets; the deciding model does not see these."""
    if isinstance(sent, list):
        named = [("", one) for one in sent]
    elif _is_one_question(sent):
        named = [("", sent)]
    else:
        named = list(sent.items())

    if not 0 < len(named) <= _MOST_QUESTIONS:
        count = f"There are {len(named)} questions; 1 to {_MOST_QUESTIONS} can be asked at once"
        raise VeniceError(f"{count}. {_FORMS}.")
    return {f"q{place}": _read_question(name, one) for place, (name, one) in enumerate(named, 1)}


def _is_one_question(sent: dict[str, Any]) -> bool:
    """Whether an object is a question itself, and not several by their names.

    A question may be named as a part is, too: {"text": "Is it rude?", "option": "Is one offered?"}.
    """
    parts = [(_part_of(name), value) for name, value in sent.items()]
    kinds = [part for part, _ in parts]
    has_question = not {"question", "options", "levels"}.isdisjoint(kinds)
    holds_questions = any(isinstance(value, dict) for part, value in parts if part not in _BETWEEN)
    if not has_question or holds_questions:
        return False

    between = [value for part, value in parts if part in _BETWEEN]
    if any(isinstance(value, list) for value in between):
        return True
    names = {name.strip().lower() for name in sent}
    is_called_question = not {"question", "instructions"}.isdisjoint(names)
    has_choices = any(isinstance(value, dict) for value in between)
    asked = [text for text in between if _is_asked(text, may_be_names=is_called_question)]
    if asked and not has_choices:
        return False
    is_each_a_part = "" not in kinds
    is_each_another = len(set(kinds)) == len(kinds)
    return is_called_question or (is_each_a_part and is_each_another)


def _is_asked(text: Any, *, may_be_names: bool) -> bool:
    """Whether what could say what is decided between is a question itself.

    Names with commas may end as one: "Which name?, Which error?"
    """
    if not isinstance(text, str) or not text.rstrip().endswith("?"):
        return False
    return not (may_be_names and _BETWEEN_NAMES.search(text))


def _read_question(name: str, sent: Any) -> _Question:
    """One question: a text, a list of options, or an object of parts."""
    try:
        parts = _read_parts(sent)
        asked = _read_text(parts.get("question") or name.replace("_", " ")).strip()
        if not asked:
            raise ValueError("nothing is asked")
        body = {"instructions": asked, **_read_criteria(parts)}
    except _UNREADABLE:
        shown = json.dumps(sent, ensure_ascii=False)[:100]
        raise VeniceError(f"The question {name or shown!r:.100} can't be read. {_FORMS}.") from None
    return _Question(str(parts.get("name") or name or asked), body)


def _read_parts(sent: Any) -> dict[str, Any]:
    """The parts of a question, by our names for them; none, if its name is the question."""
    if sent is None:
        return {}
    if isinstance(sent, str):
        return {"question": sent}
    if isinstance(sent, list):
        return {"options": sent}
    if not isinstance(sent, dict):
        raise TypeError("no question")
    parts: dict[str, Any] = {}
    for name, value in sent.items():
        part = _part_of(name)
        if not part:
            raise ValueError("a part that no question has")
        parts[part] = value
    return parts


def _part_of(name: Any) -> str:
    """Which part of a question is meant by a name; "" if none is."""
    word = str(name).strip().lower()
    for part, others in _NAMES.items():
        if word in (part, *others):
            return part
    return ""


def _read_criteria(parts: dict[str, Any]) -> dict[str, Any]:
    """What is to be decided between, in Venice's form, with the type of question."""
    kind = _read_text(parts.get("type") or "").lower()
    criteria = parts.get("criteria")
    if parts.get("options"):
        return {"type": "choice", "criteria": _read_choices(parts["options"])}
    if parts.get("levels"):
        return {"type": "score", "criteria": _read_levels(parts["levels"])}
    if kind != "choice" and isinstance(criteria, dict) and _is_of_poles(criteria):
        return {"type": "noul", "criteria": _read_poles(criteria)}
    is_of_choices = kind == "choice" or (isinstance(criteria, dict) and kind != "score")
    if criteria and is_of_choices:
        return {"type": "choice", "criteria": _read_choices(criteria)}
    if criteria:
        return {"type": "score", "criteria": _read_levels(criteria)}
    if kind in ("choice", "score"):
        raise ValueError("nothing to decide between")
    return {"type": "noul"}


def _read_choices(sent: Any) -> dict[str, str | None]:
    """Options, each with what it means, or null: an object of these, or only their names."""
    if not isinstance(sent, dict):
        sent = dict.fromkeys(_read_names(sent))
    options: dict[str, str | None] = {}
    for name, about in sent.items():
        is_explained = about not in (None, "")
        options[str(name)] = _read_text(about) if is_explained else None
    _check_count(options)
    return options


def _read_levels(sent: Any) -> list[str]:
    """Levels, from low to high."""
    if isinstance(sent, dict):
        sent = _from_low_to_high(sent)
    levels = _read_names(sent)
    _check_count(levels)
    return levels


def _from_low_to_high(levels: dict[Any, Any]) -> list[Any]:
    """The levels of an object, by the number of each: {"1": "calm"}, or {"calm": 1}.

    Where they have no numbers, they are its values as they were written.
    """
    if all(_NUMBER.fullmatch(str(number)) for number in levels):
        return [levels[number] for number in sorted(levels, key=float)]
    if all(_NUMBER.fullmatch(str(number)) for number in levels.values()):
        return sorted(levels, key=lambda level: float(levels[level]))
    return list(levels.values())


def _read_names(sent: Any) -> list[str]:
    """Several names: a list, or a text with commas."""
    if isinstance(sent, str):
        sent = _BETWEEN_NAMES.split(sent.strip())
    return [_read_text(name) for name in sent]


def _check_count(criteria: Sized) -> None:
    """Refuse to decide between fewer than two things."""
    if len(criteria) < 2:
        raise ValueError("nothing to decide between")


def _is_of_poles(criteria: dict[str, Any]) -> bool:
    """Whether criteria say what a yes and a no mean, and nothing else."""
    names = {str(name).lower() for name in criteria}
    return bool(names) and names <= _POLES.keys()


def _read_poles(criteria: dict[str, Any]) -> dict[str, str]:
    """What a yes and a no mean, by Venice's names."""
    return {
        _POLES[str(name).lower()]: _read_text(about) for name, about in criteria.items() if about
    }


def _check_length(state: str, questions: dict[str, _Question], spec: dict[str, Any]) -> None:
    """Refuse a state that is longer than the model reads."""
    most = _number_of(spec.get("maxStateTokens"))
    most_in_all = _number_of(spec.get("maxTotalTokens"))
    length = _tokens(state)
    lengths = [_tokens(json.dumps(question.body)) for question in questions.values()]
    in_all = length + sum(lengths)

    if most and length + max(lengths) > most:
        told = f"The state has about {length:,} tokens"
        limit = f"this model reads {most:,.0f} with the longest question"
        way = "give the part that matters, or let venice_chat sum it up first"
        raise VeniceError(f"{told}, and {limit}. Nothing was sent: {way}.")
    if most_in_all and in_all > most_in_all:
        told = f"State and questions have about {in_all:,} tokens"
        limit = f"this model reads {most_in_all:,.0f}"
        raise VeniceError(f"{told}, and {limit}. Nothing was sent: ask in several calls.")


def _tokens(text: str) -> int:
    """About how many tokens a text has: a guess."""
    bytes_a_token = 4
    return len(text.encode(errors="replace")) // bytes_a_token


# --- answers ---


def _tell_answers(questions: dict[str, _Question], told: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers, surest first, each in a line; those that Venice left out are left out."""
    rows = []
    for place, question in questions.items():
        row = _tell(question, _object_of(told.get(place)))
        if row:
            rows.append(row)
    return sorted(rows, key=lambda row: -row["sure"])


def _tell(question: _Question, told: dict[str, Any]) -> dict[str, Any]:
    """One answer: what it is, how sure it is, and what else is likely."""
    kind = question.body["type"]
    if kind == "noul":
        answer = _tell_yes_or_no(told)
    elif kind == "choice":
        answer = _tell_choice(told)
    else:
        answer = _tell_score(question, told)
    return {"question": question.name, **answer} if answer else {}


def _tell_yes_or_no(told: dict[str, Any]) -> dict[str, Any]:
    """Yes, no or unclear; how sure that is follows from how likely a yes is."""
    likely = _number_of(told.get("noul"))
    if likely is None:
        return {}
    if likely >= _LIKELY_YES:
        answer = "yes"
    elif likely <= _LIKELY_NO:
        answer = "no"
    else:
        answer = "unclear"
    sure = abs(2 * likely - 1)
    return {"answer": answer, "sure": _share(sure), "yes": _share(likely)}


def _tell_choice(told: dict[str, Any]) -> dict[str, Any]:
    """The likeliest option, and the two after it."""
    choice = _text_of(told.get("choice"))
    if not choice:
        return {}
    likely = _likely(told)
    likely.pop(choice, None)
    others = dict(list(likely.items())[:2])
    return {"answer": choice, "sure": _confidence(told), **_given(others=others)}


def _tell_score(question: _Question, told: dict[str, Any]) -> dict[str, Any]:
    """The likeliest level in words, and the score, which may lie between levels."""
    score = _number_of(told.get("score"))
    if score is None:
        return {}
    legend = _object_of(told.get("legend"))
    likeliest = next(iter(_likely(told)), "")
    level = _text_of(legend.get(likeliest))
    levels = question.body["criteria"]
    highest = len(levels) - 1
    told_score = {"sure": _confidence(told), "score": round(score, 2), "highest": highest}
    return {**_given(answer=level), **told_score}


def _confidence(told: dict[str, Any]) -> float:
    """How sure an answer is, as Venice tells it."""
    return _share(_number_of(told.get("confidence")) or 0.0)


def _likely(told: dict[str, Any]) -> dict[str, float]:
    """What has some likelihood, likeliest first."""
    shares = {}
    for name, probability in _object_of(told.get("probabilities")).items():
        share = _share(_number_of(probability) or 0.0)
        if share > 0:
            shares[name] = share
    ordered = sorted(shares, key=lambda name: -shares[name])
    return {name: shares[name] for name in ordered}


def _share(number: float) -> float:
    """A share from 0 to 1, short enough to read."""
    return round(min(max(number, 0.0), 1.0), 2)


def _price_of(usage: dict[str, Any], prices: dict[str, Any]) -> float | None:
    """What Venice asks for the tokens that it counted, if it says what a million costs."""
    million = 1e6
    usd = 0.0
    for kind in ("input", "output"):
        price = _number_of(_object_of(prices.get(kind)).get("usd"))
        tokens = _number_of(usage.get(f"{kind}_tokens"))
        if price is None or tokens is None:
            return None
        usd += price * tokens / million
    return round(usd, 8)
