"""Whatever Venice answers once a job may be paid, and to each question after it, nothing that was bought is lost.

The answers are any JSON and any bytes, of any content type: also such as no document has.
"""

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from hypothesis import example, given
from hypothesis import strategies as st

from sanctum_venice_tools.emulator.catalogue import catalogue
from sanctum_venice_tools.packing.bundle import tool_files
from tests.conftest import Clock
from tests.samples import FILM
from tests.tools.conftest import KEY

pytestmark = pytest.mark.slow

Tool = Callable[..., str]
Call = Callable[..., tuple[str, bool]]
BASE = "https://api.venice.ai/api/v1"
BUYING = [
    name for name, path in tool_files().items() if " _queue(" in path.read_text(encoding="utf-8")
]
KINDS = {"venice_make_video": "video", "venice_queue_video": "video", "venice_queue_music": "audio"}
JOB = re.compile(r"venice-(video|audio)\|[^\s|\"]+\|[^\s|\"]+")

# The fields that Venice's answers have, here with anything in them.
FIELDS = st.sampled_from(
    [
        *(
            "queue_id",
            "model",
            "download_url",
            "data",
            "status",
            "execution_duration",
            "average_execution_time",
        ),
        *("error", "message", "consent", "policy_text", "face_media_roles", "docs_url", "quote"),
    ]
)
# Lone surrogates, numbers that are none and numbers too large to be one: Python reads all of them
# as JSON.
ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "\ud800",
            "x" * 5000,
            "PROCESSING",
            "COMPLETED",
            "https://a.example/f.mp4?'(|",
            10**400,
            "17.",
            "",
        ]
    )
)
ANY_JSON = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(FIELDS | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=12,
)
ANY_BODY = (
    ANY_JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=80) | st.just(FILM)
)


def test_every_buying_tool_is_tried() -> None:
    """A new tool that buys jobs is tested as it is."""
    assert set(KINDS) == set(BUYING)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's key, and time enough for a wait."""
    monkeypatch.setenv("VENICE_API_KEY", KEY)
    monkeypatch.setenv("VENICE_TOOL_SECONDS", "120")


@pytest.fixture
def call(load_tool: Callable[[str], Tool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Call a tool in a fresh process and media store: what it says, and whether it ended in an error of ours."""
    turns = itertools.count()

    def run(name: str, **arguments: Any) -> tuple[str, bool]:
        monkeypatch.setenv("VENICE_MEDIA_DIR", str(tmp_path / f"media-{next(turns)}"))
        tool = load_tool(name)
        tool.__globals__["time"] = Clock()
        try:
            return tool(**arguments), False
        except tool.__globals__["VeniceError"] as error:
            return str(error), True

    return run


def check(said: str, *, failed: bool) -> None:
    """One readable line, or a JSON object that every reader of JSON takes."""
    assert KEY not in said
    said.encode()
    if failed:
        assert said.isprintable()
        assert said.endswith(".")
    else:
        assert isinstance(json.loads(said, parse_constant=pytest.fail), dict)


def answering(kind: str, **answers: Any) -> respx.MockRouter:
    """Venice, with these answers by the last part of the path."""
    router = respx.mock(base_url=BASE, assert_all_called=False)
    models = {"object": "list", "data": catalogue().listed("video" if kind == "video" else "music")}
    router.get("/models").respond(json=models)
    usual = {
        "quote": {"json": {"quote": 0.25}},
        "queue": {"json": {"model": "m", "queue_id": "17"}},
    }
    for name, answer in (usual | answers).items():
        router.post(f"/{kind}/{name}").mock(
            side_effect=lambda _, answer=answer: httpx.Response(**{"status_code": 200} | answer)
        )
    return router


def as_json(
    body: bytes, content_type: str = "application/json", status: int = 200
) -> dict[str, Any]:
    """An answer of Venice's."""
    return {"status_code": status, "content": body, "headers": {"content-type": content_type}}


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
@given(body=ANY_BODY)
@example(body=b'{"queue_id": "17"}')
@example(body=b'{"queue_id": 17, "model": null}')
@example(body=b'{"data": {"queue_id": "17", "model": "m"}}')
@example(body=b'{"queue_id": NaN}')
@example(body=b'{"queue_id": "a b|c.", "model": ["m"]}')
@example(body=b"[" * 100_000)
@example(body=b"")
@example(body=FILM)
def test_a_purchase_is_never_lost(call: Call, name: str, kind: str, body: bytes) -> None:
    """Whatever comes in answer to the purchase: the job is told, or that it may be charged, with what Venice said."""
    with answering(
        kind, queue=as_json(body), retrieve={"json": {"status": "PROCESSING"}}
    ) as router:
        said, failed = call(name, prompt="A fox")

        check(said, failed=failed)
        assert 1 == len([one for one in router.calls if one.request.url.path.endswith("/queue")])
        assert "needs_consent" not in said
        assert JOB.search(said) or "it may be charged." in said


OPEN = [
    (status, kind)
    for status in (408, 500, 502, 504, 520)
    for kind in ("application/json", "text/html")
]


@pytest.mark.parametrize(("status", "content_type"), [*OPEN, (200, "text/html")])
@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_a_fault_after_a_purchase_leaves_open_what_it_cost(
    call: Call, name: str, kind: str, status: int, content_type: str
) -> None:
    """A fault of Venice's or of a gateway does not say that nothing was bought: nobody buys again unawares."""
    with answering(kind, queue=as_json(b'{"error": "Oh"}', content_type, status)) as router:
        said, failed = call(name, prompt="A fox")

        assert failed
        assert "Oh" in said
        assert (
            "it may be charged. Ask the person, or look at venice_report_usage, before you try again."
            in said
        )
        assert "Try again" not in said
        assert 1 == len([one for one in router.calls if one.request.url.path.endswith("/queue")])


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
@given(body=ANY_BODY)
@example(body=b'{"queue_id": "17"}')
def test_only_a_conflict_is_a_question_of_consent(
    call: Call, name: str, kind: str, body: bytes
) -> None:
    """With the status 409, whatever else comes: nothing was queued, and a person is to be asked."""
    with answering(kind, queue=as_json(body, status=409)):
        said, failed = call(name, prompt="A fox")

    check(said, failed=failed)
    assert not failed
    assert "Only they can consent" in said
    assert not JOB.search(said)


KEPT = {
    b'{"queue_id": "17"}': "|17",
    b'{"queue_id": 17, "model": null}': "|17",
    b'{"queue_id": 17.5, "model": 3}': "venice-video|3|17.5",
    b'{"data": {"queue_id": "17", "model": "m"}}': "venice-video|m|17",
    b'{"queue_id": "", "data": {"queue_id": "17", "model": "m"}}': "venice-video|m|17",
}


@pytest.mark.parametrize(("body", "end"), KEPT.items())
def test_an_odd_answer_still_leads_to_the_job(call: Call, body: bytes, end: str) -> None:
    """A model that is not told is the one that was asked for; a number is an id; a level more does no harm."""
    with answering("video", queue=as_json(body)):
        said, _ = call("venice_queue_video", prompt="A fox", model="wan-2.5-preview-text-to-video")

    job = json.loads(said)["job"]
    assert job.endswith(end)
    assert job.startswith("venice-video|wan-2.5-preview-text-to-video|") or end.startswith(
        "venice-"
    )


@pytest.mark.parametrize(
    ("body", "shown"), [(b'{"id": "17"}', "17"), (b'{"queue_id": "17', "17"), (b"<b>ok", "ok")]
)
def test_an_answer_without_a_job_is_shown(call: Call, body: bytes, shown: str) -> None:
    """What may lead to the job is in the line, and what to do first."""
    with answering("video", queue=as_json(body)):
        said, failed = call("venice_queue_video", prompt="A fox")

    assert failed
    assert said.startswith("Venice's answer leads to no job. It said: ")
    assert "it may be charged." in said
    assert shown in said
    assert "look at venice_report_usage, before you try again" in said


def test_an_answer_that_breaks_off_is_shown(call: Call) -> None:
    """Half an answer to a purchase is all that there is of it."""

    class Broken(httpx.SyncByteStream):
        """A body that ends in a reset."""

        def __iter__(self) -> Any:
            yield b'{"model": "m", "queue_id": "17'
            raise httpx.ReadError("reset")

    with answering("video", queue={"stream": Broken()}):
        said, _ = call("venice_queue_video", prompt="A fox")

    assert '"queue_id": "17' in said
    assert "it may be charged." in said


@given(
    body=ANY_BODY,
    kind=st.sampled_from(["application/json", "text/html", "text/plain", "video/mp4", ""]),
)
@example(body=b'{"status": "PROCESSING", "execution_duration": null}', kind="application/json")
@example(body=b'{"status": "PROCESSING", "execution_duration": NaN}', kind="application/json")
@example(body=b'{"status": "PROCESSING", "average_execution_time": [1]}', kind="application/json")
@example(body=b"[" * 100_000, kind="application/json")
def test_what_was_bought_can_be_fetched_whatever_a_poll_holds(
    call: Call, body: bytes, kind: str
) -> None:
    """The job's string and its price reach the caller, or the film does."""
    with answering("video", retrieve=as_json(body, kind)):
        said, failed = call("venice_make_video", prompt="A fox")

    check(said, failed=failed)
    reply = json.loads(said)
    assert ("venice-video|m|17", 0.25) == (reply["job"], reply["cost_usd"])
    assert "file" in reply or "next" in reply


@pytest.mark.parametrize(
    ("name", "kind"), [("venice_retrieve_video", "video"), ("venice_retrieve_music", "audio")]
)
@given(
    body=ANY_BODY,
    content_type=st.sampled_from(["application/json", "text/html", "text/plain", "video/mp4", ""]),
    status=st.sampled_from([200, 400, 404, 422, 429, 500, 502, 503]),
)
def test_a_retrieval_names_its_job(  # noqa: PLR0917 - what is drawn
    call: Call, name: str, kind: str, body: bytes, content_type: str, status: int
) -> None:
    """Whatever Venice answers to the question for a job, the agent knows how to ask again."""
    job = f"venice-{kind}|m|17"
    with answering(kind, retrieve=as_json(body, content_type, status)):
        said, failed = call(name, job=job)

    check(said, failed=failed)
    assert job in said or "file" in json.loads(said)


NO_PRICES = [
    *(
        b'{"quote": NaN}',
        b'{"quote": Infinity}',
        b'{"quote": -0.01}',
        b'{"quote": true}',
        b'{"quote": null}',
    ),
    *(
        b'{"quote": "NaN"}',
        b'{"quote": "-1"}',
        b'{"quote": "1e3"}',
        b'{"quote": ""}',
        b'{"quote": {}}',
    ),
    *(
        b'{"quote": [1]}',
        b"{}",
        b"[]",
        b"null",
        b"0.25",
        b'{"quote": 1' + b"0" * 400 + b"}",
        b'{"quote": "\\u0663"}',
    ),
]


@pytest.mark.parametrize("body", NO_PRICES, ids=lambda body: body.decode()[:30])
@pytest.mark.parametrize(
    ("name", "kind"),
    [*KINDS.items(), ("venice_quote_video", "video"), ("venice_quote_music", "audio")],
)
def test_a_price_that_is_none_buys_nothing(call: Call, name: str, kind: str, body: bytes) -> None:
    """A price is a finite number of zero or more; where there is none, nothing is bought, and one line says so."""
    arguments = {} if "quote" in name else {"prompt": "A fox"}
    with answering(kind, quote=as_json(body)) as router:
        said, failed = call(name, **arguments)

        assert failed
        assert said.startswith("Venice named no price, so nothing was bought.")
        assert not [one for one in router.calls if one.request.url.path.endswith("/queue")]


@pytest.mark.parametrize(
    ("body", "price"), [(b'{"quote": 0}', 0), (b'{"quote": "0.25"}', 0.25), (b'{"quote": 5}', 5)]
)
def test_a_price_may_be_a_text(call: Call, body: bytes, price: float) -> None:
    """A number in text is a price, and so is nothing at all."""
    with answering("video", quote=as_json(body)):
        said, _ = call("venice_queue_video", prompt="A fox")

    assert price == json.loads(said)["cost_usd"]


@given(body=ANY_BODY)
def test_any_price_is_one_or_none(call: Call, body: bytes) -> None:
    """Whatever comes for a price, a film is bought for no more than is allowed, or not at all."""
    with answering("video", quote=as_json(body)):
        said, failed = call("venice_queue_video", prompt="A fox")

    check(said, failed=failed)
    assert failed or 0 <= json.loads(said)["cost_usd"] <= 5
