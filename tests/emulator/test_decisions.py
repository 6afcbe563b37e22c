"""POST /decisions of the local Venice: typed questions, decided by shared words."""

from typing import Any

import httpx
import pytest

STATE = "My payouts have failed for three days. Please refund the payment, this is urgent."


def decide(client: httpx.Client, questions: Any, state: Any = STATE, **more: Any) -> httpx.Response:
    """Ask about the state."""
    body = {"model": "jev-latest", "state": state, "questions": questions, **more}
    return client.post("/decisions", json=body)


def ask(client: httpx.Client, **question: Any) -> Any:
    """Ask one question."""
    return decide(client, {"it": {"instructions": "What is it?", **question}}).json()["answers"][
        "it"
    ]


def test_yes_is_as_likely_as_the_words_that_are_there(client: httpx.Client) -> None:
    """All words of a question: a sure yes; none: a sure no; half of them: in between. Inflection does not matter."""
    likely = [
        ask(client, type="noul", instructions=asked)["noul"]
        for asked in (
            "Is it urgent?",
            "Are kittens there?",
            "Urgent kittens?",
            "Are payments refunded?",
        )
    ]

    assert [0.98, 0.02, 0.5, 0.98] == likely


def test_poles_go_before_the_question(client: httpx.Client) -> None:
    """What a yes and a no mean decides, where that is told."""
    poles = {
        "true": "Somebody asks for kittens",
        "false": "Somebody asks for a refund of a payment",
    }

    assert ask(client, type="noul", instructions="Is it urgent?", criteria=poles)["noul"] < 0.1


def test_the_option_with_more_of_the_words_is_chosen(client: httpx.Client) -> None:
    """The probabilities are one in all, and what stands out is sure."""
    told = ask(
        client,
        type="choice",
        criteria={"sales": "new accounts", "billing": "payouts, refunds", "other": None},
    )

    assert "billing" == told["choice"]
    assert 1 == pytest.approx(sum(told["probabilities"].values()), abs=1e-3)
    assert {"sales", "billing", "other"} == told["probabilities"].keys()
    assert told["confidence"] > 0.8


def test_a_score_lies_between_the_levels(client: httpx.Client) -> None:
    """It is weighted by probability; without any shared word all levels are alike, and nothing is sure."""
    told = ask(
        client, type="score", criteria=["all is well", "it failed", "it failed, and that is urgent"]
    )
    assert 1 < told["score"] < 2
    assert {"0": "all is well", "1": "it failed", "2": "it failed, and that is urgent"} == told[
        "legend"
    ]

    assert (0.5, 0) == tuple(
        ask(client, type="score", criteria=["x", "y"])[field] for field in ("score", "confidence")
    )


def test_the_same_is_decided_again(client: httpx.Client) -> None:
    """Nothing is left to chance; an alias has the same answers; a state of JSON is read too."""
    questions = {"it": {"type": "noul", "instructions": "Is it urgent?"}}
    told = decide(client, questions).json()

    assert told == decide(client, questions).json()
    body = {"model": "jev-latest", "state": [{"content": STATE}], "questions": questions}
    assert told["answers"] == client.post("/systemone", json=body).json()["answers"]


@pytest.mark.parametrize(
    ("questions", "more", "said"),
    [
        ({}, {}, "questions"),
        ({"it": {"type": "choice", "instructions": "?"}}, {}, "criteria"),
        ({"it": {"type": "score", "instructions": "?", "criteria": ["one"]}}, {}, "criteria"),
        ({"it": {"type": "noul", "instructions": "?", "levels": []}}, {}, "levels"),
        ({"it": {"type": "noul", "instructions": "?"}}, {"state": "word " * 30_000}, "32000"),
        (
            {str(place): {"type": "noul", "instructions": "x" * 80_000} for place in range(4)},
            {},
            "64000",
        ),
        (
            {"it": {"type": "noul", "instructions": "?"}},
            {"images": ["data:image/png;base64,AA=="]},
            "images",
        ),
        ({"it": {"type": "noul", "instructions": "?"}}, {"temperature": 1}, "temperature"),
    ],
)
def test_what_does_not_fit_is_refused(
    client: httpx.Client, questions: Any, more: dict[str, Any], said: str
) -> None:
    """Bodies are closed, questions have what their type needs, and the model's limits hold."""
    refused = decide(client, questions, **more)

    assert 400 == refused.status_code
    assert said in refused.text
