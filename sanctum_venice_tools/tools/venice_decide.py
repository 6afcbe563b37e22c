"""Decide between known answers, many questions at once."""

from typing import Any

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.decisions import (
    _check_length,
    _price_of,
    _read_questions,
    _tell_answers,
)
from sanctum_venice_tools.runtime.models import _pick_model
from sanctum_venice_tools.runtime.replies import _object_of
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call

TOOLSET = "text"
COST = "cents"


@_read_as_meant
def venice_decide(*, state: str, questions: dict[str, Any] | list[Any], model: str = "") -> str:
    """Answer questions about a text or JSON: yes or no, one of several options, or a score; many at once.

    Costs far less than 1 cent. It beats asking a chat model wherever the possible answers are known
    (sort, route, judge, moderate, compare, check many things): each answer comes with how sure it
    is, and can't be of another form. For reasons, texts, facts from elsewhere, or steps that build
    on each other, use venice_chat. Each question is answered by itself, from the state alone:
    nothing else of this conversation is known.

    Args:
        state: What is judged, as a text or JSON, with all that matters for it; up to some 100,000
            characters.
        questions: A list of yes-or-no questions: ["Is it urgent?", "Is a refund asked for?"]. Or an
            object, to name them and to ask otherwise: {"urgent": "Is it urgent?", "team":
            {"question": "Who should answer?", "options": ["billing", "support", "none"]}, "mood":
            {"question": "How angry is it?", "levels": ["calm", "annoyed", "furious"]}}. Options may
            say what they mean: {"billing": "payments", "none": null}. Levels go from low to high.
        model: Best left out. By default its provider sees the state, but not who asks.

    Returns:
        JSON: answers, surest first (question, answer, sure from 0 to 1; yes: how likely a yes is;
            others: the options that are likely besides; score: from 0 for the lowest level to
            highest), model, cost_usd, notes.
    """
    if not state.strip():
        raise VeniceError("The state is empty. Give the text or JSON that the questions are about.")
    asked = _read_questions(questions)
    chosen = _pick_model("decision", model, setting="VENICE_DECISION_MODEL", usual="jev-latest")
    _check_length(state, asked, chosen.spec)

    body = {
        "model": chosen.id,
        "state": state,
        "questions": {place: question.body for place, question in asked.items()},
    }
    told, _ = _call("POST", "/decisions", json=body)
    reply = _object_of(told)
    answers = _tell_answers(asked, _object_of(reply.get("answers")))
    notes = [*chosen.notes]
    if len(answers) < len(asked):
        notes.append(f"Venice answered only {len(answers)} of {len(asked)} questions.")
    return _answer(
        answers=answers,
        model=chosen.id,
        cost_usd=_price_of(_object_of(reply.get("usage")), _object_of(chosen.spec.get("pricing"))),
        notes=notes,
    )
