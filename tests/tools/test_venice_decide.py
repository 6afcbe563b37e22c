"""venice_decide: questions in any form, answers in few words with how sure they are, and what it costs."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import respx

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.tools.conftest import balance, posts, refusal

Tool = Callable[..., str]

TICKET = (
    "My payouts have failed for three days and nobody has replied. Please help, this is urgent."
)
CALL: dict[str, Any] = {
    "state": TICKET,
    "questions": {
        "urgent": "Is this urgent?",
        "team": {
            "question": "Which team?",
            "options": {"billing": "payouts, refunds", "sales": None},
        },
        "mood": {
            "question": "How angry is it?",
            "levels": ["calm", "annoyed: nobody replied", "furious"],
        },
    },
}

JEV = {
    "id": "jev-latest",
    "type": "decision",
    "model_spec": {
        "privacy": "anonymized",
        "maxStateTokens": 1000,
        "maxTotalTokens": 2000,
        "pricing": {"input": {"usd": 0.042}, "output": {"usd": 0.5}},
    },
}

# What Venice's own documents answer to their example.
ANSWERS: dict[str, Any] = {
    "noul": {"type": "noul", "noul": 0.95},
    "choice": {
        "type": "choice",
        "choice": "billing",
        "probabilities": {"billing": 0.91, "technical": 0.05, "sales": 0, "other": 0.04},
        "confidence": 0.93,
    },
    "score": {
        "type": "score",
        "score": 1.274,
        "legend": {"0": "Calm", "1": "Frustrated", "2": "Very angry"},
        "probabilities": {"0": 0, "1": 0.73, "2": 0.27},
        "confidence": 0.6,
    },
}


def answer(request: httpx.Request) -> httpx.Response:
    """Answer each question as Venice's documents do for its type."""
    asked = json.loads(request.content)["questions"]
    told = {place: ANSWERS[question["type"]] for place, question in asked.items()}
    usage = {"input_tokens": 400, "output_tokens": 100}
    return httpx.Response(200, json={"model": "jev-latest", "answers": told, "usage": usage})


@pytest.fixture
def decisions(api: respx.MockRouter) -> respx.Route:
    """Venice, which has one decision model."""
    api.get("/models", params={"type": "decision"}).respond(json={"object": "list", "data": [JEV]})
    return api.post("/decisions").mock(side_effect=answer)


def sent(api: respx.MockRouter, tool: Tool, questions: Any) -> list[Any]:
    """The questions as Venice got them."""
    tool(state="A ticket.", questions=questions)
    return list(posts(api)[-1]["questions"].values())


def test_tells_each_answer_in_a_line_surest_first(decisions: respx.Route, tool: Tool) -> None:
    """Yes or no with the likelihood of a yes; an option with those besides; a level in words with the score."""
    reply = json.loads(tool(**CALL))

    assert decisions.called
    assert [
        {
            "question": "team",
            "answer": "billing",
            "sure": 0.93,
            "others": {"technical": 0.05, "other": 0.04},
        },
        {"question": "urgent", "answer": "yes", "sure": 0.9, "yes": 0.95},
        {"question": "mood", "answer": "Frustrated", "sure": 0.6, "score": 1.27, "highest": 2},
    ] == reply["answers"]


def test_tells_the_price_of_both_kinds_of_tokens(decisions: respx.Route, tool: Tool) -> None:
    """Some models charge for what comes back, too."""
    assert decisions.call_count == 0
    assert (400 * 0.042 + 100 * 0.5) / 1e6 == pytest.approx(json.loads(tool(**CALL))["cost_usd"])


@pytest.mark.parametrize(
    "questions",
    [
        ["Is it urgent?", "Is it rude?"],
        '["Is it urgent?", "Is it rude?"]',
        "['Is it urgent?','Is it rude?']",
    ],
)
def test_a_list_of_texts_asks_yes_or_no(
    decisions: respx.Route, api: respx.MockRouter, tool: Tool, questions: Any
) -> None:
    """The simplest form; each answer goes by its question."""
    assert [
        {"type": "noul", "instructions": "Is it urgent?"},
        {"type": "noul", "instructions": "Is it rude?"},
    ] == sent(api, tool, questions)
    assert ["Is it urgent?", "Is it rude?"] == [
        one["question"]
        for one in json.loads(tool(state="A ticket.", questions=questions))["answers"]
    ]
    assert decisions.called


YES_OR_NO = {"type": "noul", "instructions": "Is it urgent?"}
CHOICE = {
    "type": "choice",
    "instructions": "Which team?",
    "criteria": {"sales": None, "none": None},
}
SCORE = {"type": "score", "instructions": "How angry?", "criteria": ["calm", "cross"]}


@pytest.mark.usefixtures("decisions")
@pytest.mark.parametrize(
    ("questions", "meant"),
    [
        ("Is it urgent?", YES_OR_NO),
        ({"urgent": "Is it urgent?"}, YES_OR_NO),
        ({"Is it urgent?": None}, YES_OR_NO),
        ([{"id": "urgent", "instructions": "Is it urgent?", "type": "noul"}], YES_OR_NO),
        ({"question": "Is it urgent?"}, YES_OR_NO),
        ({"team": {"question": "Which team?", "options": ["sales", "none"]}}, CHOICE),
        ({"Which team?": ["sales", "none"]}, CHOICE),
        ({"Which_team?": {"choices": "sales, none"}}, CHOICE),
        ({"question": "Which team?", "options": {"sales": None, "none": ""}}, CHOICE),
        (
            {
                "team": {
                    "instructions": "Which team?",
                    "type": "choice",
                    "criteria": {"sales": None, "none": None},
                }
            },
            CHOICE,
        ),
        (
            {
                "team": {
                    "instructions": "Which team?",
                    "type": "choice",
                    "criteria": ["sales", "none"],
                }
            },
            CHOICE,
        ),
        ({"mood": {"question": "How angry?", "levels": ["calm", "cross"]}}, SCORE),
        ({"mood": {"Question": "How angry?", "Scale": {"1": "calm", "2": "cross"}}}, SCORE),
        ({"mood": {"question": "How angry?", "levels": {"10": "cross", "-2.5": "calm"}}}, SCORE),
        ({"mood": {"question": "How angry?", "levels": {"cross": 5, "calm": "1"}}}, SCORE),
        (
            {
                "mood": {
                    "instructions": "How angry?",
                    "type": "score",
                    "criteria": {"2": "cross", "1": "calm"},
                }
            },
            SCORE,
        ),
        ({"mood": {"question": "How angry?", "levels": {"low": "calm", "high": "cross"}}}, SCORE),
        (
            {
                "mood": {
                    "instructions": "How angry?",
                    "type": "score",
                    "criteria": ["calm", "cross"],
                }
            },
            SCORE,
        ),
        (
            {"urgent": {"question": "Is it urgent?", "criteria": {"yes": "today", "no": "later"}}},
            {**YES_OR_NO, "criteria": {"true": "today", "false": "later"}},
        ),
        (
            {
                "urgent": {
                    "instructions": "Is it urgent?",
                    "type": "choice",
                    "criteria": {"yes": "today", "no": "later"},
                }
            },
            {**YES_OR_NO, "type": "choice", "criteria": {"yes": "today", "no": "later"}},
        ),
    ],
)
def test_questions_are_read_as_they_are_meant(
    api: respx.MockRouter, tool: Tool, questions: Any, meant: Any
) -> None:
    """Names, lists, nulls, other words for the parts, and Venice's own form; as JSON and as its text."""
    assert [meant] == sent(api, tool, questions)
    assert [meant] == sent(
        api, tool, json.dumps(questions) if not isinstance(questions, str) else [questions]
    )


RUDE = {"type": "noul", "instructions": "Is it rude?"}
CHOICE_OF_LIST = {"question": "Which team?", "options": ["sales", "none"]}
NEXT = {
    "type": "choice",
    "instructions": "What to ask?",
    "criteria": {"Which name?": None, "Which error?": None},
}


@pytest.mark.usefixtures("decisions")
@pytest.mark.parametrize(
    ("questions", "meant"),
    [
        ({"text": {"question": "Which team?", "options": ["sales", "none"]}}, [CHOICE]),
        ({"prompt": {"question": "How angry?", "levels": ["calm", "cross"]}}, [SCORE]),
        ({"question": {"question": "Is it urgent?"}, "text": "Is it rude?"}, [YES_OR_NO, RUDE]),
        ({"text": "Is it urgent?", "rude": "Is it rude?"}, [YES_OR_NO, RUDE]),
        ({"text": "Is it urgent?", "prompt": "Is it rude?"}, [YES_OR_NO, RUDE]),
        ({"text": "Is it urgent?", "option": "Is it rude?"}, [YES_OR_NO, RUDE]),
        ({"level": "Is it rude?"}, [RUDE]),
        ({"text": "Is it urgent?"}, [YES_OR_NO]),
        ({"prompt": "Is it urgent?", "type": "noul"}, [YES_OR_NO]),
        ({"id": "urgent", "text": "Is it urgent?"}, [YES_OR_NO]),
        ({"text": "Which team?", "options": "sales, none"}, [CHOICE]),
        ({"ask": "How angry?", "type": "score", "criteria": ["calm", "cross"]}, [SCORE]),
        (CHOICE_OF_LIST | {"name": "Which team?"}, [CHOICE]),
        (CHOICE_OF_LIST | {"id": "team?"}, [CHOICE]),
        ({"question": "Is it urgent?", "key": "urgent?", "type": "noul"}, [YES_OR_NO]),
        ({"question": "Is it urgent?", "type": "noul?"}, [YES_OR_NO]),
        (CHOICE_OF_LIST | {"criteria": "Who has the time?"}, [CHOICE]),
        (
            {"question": "Which team?", "options": {"sales": None, "none": ""}, "kind": "which?"},
            [CHOICE],
        ),
        (
            {
                "instructions": "Which team?",
                "options": {"sales": None, "none": ""},
                "criteria": "Who has the time?",
            },
            [CHOICE],
        ),
        ({"question": "What to ask?", "options": "Which name?, Which error?"}, [NEXT]),
    ],
)
def test_a_question_may_have_the_name_of_a_part(
    api: respx.MockRouter, tool: Tool, questions: Any, meant: Any
) -> None:
    """One named "text", "prompt" or "option" is asked as it is; parts of one question stay one question."""
    assert meant == sent(api, tool, questions)


@pytest.mark.usefixtures("decisions")
@pytest.mark.parametrize(
    "questions",
    [
        {"Question": "Which team?", "teams": ["sales", "support"]},
        {"options": ["sales", "support"]},
        {"prompt": "Which team?", "options": ["sales", "support"], "description": "of a ticket"},
        {"text": "How angry?", "scale": ["calm", "cross"], "description": "Of whom?"},
        {"ask": "How angry?", "criteria": ["calm", "cross"], "description": "of the ticket"},
        {"team": {"question": "Which team?", "options": ["sales"]}},
        {"team": {"question": "Which team?", "teams": ["sales", "support"]}},
        {"team": {"question": "Which team?", "type": "choice"}},
        {"team": 7},
        [None],
        [""],
        [{"options": ["a", "b"]}],
        [],
        ["Is it urgent?"] * 51,
    ],
)
def test_what_cannot_be_asked_gets_the_forms(
    api: respx.MockRouter, tool: Tool, questions: Any
) -> None:
    """One line shows how to ask; nothing is sent."""
    line = refusal(tool, state="A ticket.", questions=questions)

    assert '["Is it urgent?"]' in line
    assert '"levels": ["calm", "cross"]' in line
    assert [] == posts(api)


@pytest.mark.usefixtures("decisions")
@pytest.mark.parametrize(
    "state", [{"ticket": "Help!", "day": 1.10}, [{"role": "user"}, {"role": "assistant"}]]
)
def test_json_is_judged_as_its_text(api: respx.MockRouter, tool: Tool, state: Any) -> None:
    """A host may hand over real JSON; Venice gets it as a text."""
    tool(state=state, questions="Is it urgent?")

    assert state == json.loads(posts(api)[0]["state"])


@pytest.mark.usefixtures("decisions")
@pytest.mark.parametrize(
    ("state", "questions", "said"),
    [
        (
            "word " * 900,
            ["Is it urgent?"],
            "1,000 with the longest question. Nothing was sent: give the part",
        ),
        (
            "word " * 700,
            [
                f"Is this the ticket of customer number {place}, who wrote to us last week?"
                for place in range(50)
            ],
            "several calls",
        ),
        ("  ", ["Is it urgent?"], "The state is empty"),
    ],
)
def test_what_is_too_long_is_not_sent(
    api: respx.MockRouter, tool: Tool, state: str, questions: list[str], said: str
) -> None:
    """The model's own limits hold, and the line says what to do."""
    assert said in refusal(tool, state=state, questions=questions)
    assert [] == posts(api)


def test_what_venice_leaves_open_is_told(api: respx.MockRouter, tool: Tool) -> None:
    """A probability near one half is no answer; a question without an answer is counted."""
    api.get("/models", params={"type": "decision"}).respond(json={"object": "list", "data": [JEV]})
    told = {"q1": {"type": "noul", "noul": 0.5}, "q2": {"type": "verdict"}}
    api.post("/decisions").respond(json={"model": "jev-latest", "answers": told, "usage": {}})

    reply = json.loads(tool(state="A ticket.", questions=["Is it urgent?", "Is it rude?"]))

    assert [{"question": "Is it urgent?", "answer": "unclear", "sure": 0.0, "yes": 0.5}] == reply[
        "answers"
    ]
    assert ["Venice answered only 1 of 2 questions."] == reply["notes"]
    assert "cost_usd" not in reply


def test_fifty_answers_fit(decisions: respx.Route, tool: Tool) -> None:
    """As many questions as may be asked at once have room in the reply."""
    questions = {
        f"question number {place}": ["billing", "technical", "sales", "other"]
        for place in range(50)
    }

    reply = tool(state="A ticket.", questions=questions)

    assert decisions.called
    assert 50 == len(json.loads(reply)["answers"])
    assert len(reply) < 8000


def test_decides_on_the_local_venice(local_tool: Tool, venice: LocalVenice) -> None:
    """Over a real connection, each answer is the one that the ticket's words suggest, and the price is what is paid."""
    before = balance(venice)

    reply = json.loads(local_tool(**CALL))

    assert {"urgent": "yes", "team": "billing", "mood": "annoyed: nobody replied"} == {
        one["question"]: one["answer"] for one in reply["answers"]
    }
    assert reply["cost_usd"] == pytest.approx(before - balance(venice), abs=1e-6)


def test_a_private_model_can_be_named(local_tool: Tool) -> None:
    """There is a decision model that keeps nothing; it charges for answers, too."""
    assert "clef-api" == json.loads(local_tool(**CALL, model="clef-api"))["model"]
