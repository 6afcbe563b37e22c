"""Jobs: bought once, never lost, fetched as often as wanted; and never too dear."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from sanctum_venice_tools.emulator import errors, faults
from sanctum_venice_tools.emulator.process import LocalVenice, running_venice
from tests.conftest import Clock, kept_in, space_of
from tests.samples import FILM, SONG, whole_files
from tests.tools.conftest import refusal

Tool = Callable[..., str]
Space = dict[str, Any]
BASE = "https://api.venice.ai/api/v1"
JOB = "venice-video|wan-2.5|0f1e2d3c"
PRIVATE = f"{JOB}|https://films.example.org/0f1e.mp4?key=a_b-c"
SHARED = f"{JOB}|https://private-share.venice.ai/v1/share/read/0f1e.a_b-c"
MUSIC = "venice-audio|elevenlabs-music|77"
MEDIA_SERVER = "http://media.internal:8490"
HANDED_OUT = "Venice handed it out a last time, and was told to delete it then; it confirms no more than that."


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[respx.MockRouter]:
    """The routes of Venice, in process."""
    monkeypatch.setenv("VENICE_API_KEY", "sk-in-process")
    with respx.mock(base_url=BASE, assert_all_called=False) as router:
        yield router


@pytest.fixture
def clock() -> Clock:
    """A clock on which sleeping takes no time."""
    return Clock()


@pytest.fixture
def space(load_tool: Callable[[str], Tool], clock: Clock) -> Space:
    """The globals of the text that has all of a job's life in it."""
    found: Space = load_tool("venice_make_video").__globals__
    found["time"] = clock
    return found


@pytest.fixture
def retrieve(load_tool: Callable[[str], Tool], clock: Clock) -> Callable[..., Any]:
    """Retrieve a film; the reply as an object."""
    tool = load_tool("venice_retrieve_video")
    tool.__globals__["time"] = clock
    return lambda **arguments: json.loads(tool(**{"job": JOB, **arguments}))


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """The media store."""
    return tmp_path / "media"


def processing(run: float, usual: float) -> httpx.Response:
    """What Venice says of a job that is not done, in milliseconds."""
    told = {
        "status": "PROCESSING",
        "execution_duration": run * 1000,
        "average_execution_time": usual * 1000,
    }
    return httpx.Response(200, json=told)


def done(content: bytes = FILM, kind: str = "video/mp4") -> httpx.Response:
    """What Venice sends of a job that is done."""
    return httpx.Response(200, content=content, headers={"content-type": kind})


# --- the job string ---


@pytest.mark.parametrize(
    "text",
    [
        JOB,
        f" {JOB}\n",
        f"`{JOB}`",
        f'the job is "{JOB}".',
        f"({JOB})",
        f"<{JOB}>",
        f"job: '{JOB}',",
        f"**{JOB}**",
        f"[{JOB}]",
        f"{{{JOB}}}",
        f"Keep {JOB}!",
        f"Is it {JOB}?",
        f'"{{\\"job\\": \\"{JOB}\\"}}"',
        f"{JOB}\\nIt is a fox.",
    ],
    ids=repr,
)
def test_a_job_is_read_wherever_it_stands(space: Space, text: str) -> None:
    """Quotes, brackets and words around a pasted job do no harm."""
    assert space["_Job"]("video", "wan-2.5", "0f1e2d3c") == space["_read_job"](text, "video")


@given(
    model=st.from_regex(r"[a-z0-9]([a-z0-9./:_-]{0,60}[a-z0-9])?", fullmatch=True),
    queue_id=st.from_regex(r"[A-Za-z0-9_-]{1,60}", fullmatch=True)
    | st.text("ab|%2F'\" .:\n*[]{}\\!?", min_size=1, max_size=50),
    url=st.sampled_from(
        [
            "",
            "https://files.example.org/a/b.mp4?token=x_y-z&e=1",
            "http://127.0.0.1:8484/files/x.mp4",
            "https://files.example.org/a*b.mp4?of[]=1&sign=!x",
        ]
    ),
    kind=st.sampled_from(["video", "audio"]),
)
def test_a_job_holds_all_that_retrieval_needs(
    texts: dict[str, str], model: str, queue_id: str, url: str, kind: str
) -> None:
    """What Venice told when the job was queued comes out of the string again, also at the end of a sentence."""
    space = space_of("venice_make_video", texts)
    told = {"model": model, "queue_id": queue_id} | ({"download_url": url} if url else {})
    job = space["_read_sold"](told, kind, "")

    assert space["_Job"](kind, model, queue_id, url) == job
    assert job == space["_read_job"](f"It is {space['_job_string'](job)}.", kind)


@pytest.mark.parametrize(
    "told",
    [
        None,
        7,
        ["https://a.example/f"],
        "",
        "films.example/f.mp4",
        "ftp://a.example/f",
        "https://",
        f"https://a.example/{'f' * 6000}",
    ],
    ids=lambda told: repr(told)[:30],
)
def test_what_is_no_address_is_left_out_of_a_job(space: Space, told: Any) -> None:
    """A job has the address of its film only where Venice told one that a film can lie at."""
    job = space["_read_sold"]({"queue_id": "7", "download_url": told}, "video", "wan-2.5")

    assert "venice-video|wan-2.5|7" == space["_job_string"](job)


@pytest.mark.parametrize(
    "job", ["", "0f1e2d3c", "venice-video|wan-2.5", "venice-video||x"], ids=repr
)
def test_what_is_no_job_is_refused(
    retrieve: Callable[..., Any], api: respx.MockRouter, job: str
) -> None:
    """Half a job is not sent to Venice; the agent learns what to give."""
    assert "This is no video job. Give the whole string" in refusal(retrieve, job=job)
    assert 0 == len(api.calls)


def test_a_job_of_another_kind_is_refused(
    retrieve: Callable[..., Any], api: respx.MockRouter
) -> None:
    """Music is not looked for among films; the agent learns which tool has it."""
    message = refusal(retrieve, job=MUSIC)

    assert "This job is for venice_retrieve_music. Give it to that tool." == message
    assert 0 == len(api.calls)


# --- retrieving ---


def test_a_finished_film_is_kept_byte_for_byte(
    retrieve: Callable[..., Any], api: respx.MockRouter, media: Path
) -> None:
    """The film is in the media store under a name made of its job; Venice's copy is left alone."""
    route = api.post("/video/retrieve").mock(return_value=done())
    reply = retrieve()

    assert FILM == Path(reply["file"]).read_bytes()
    assert [Path(reply["file"])] == kept_in(media)
    assert ("video/mp4", len(FILM)) == (reply["type"], reply["bytes"])
    assert [{"model": "wan-2.5", "queue_id": "0f1e2d3c"}] == [
        json.loads(one.request.content) for one in route.calls
    ]


def test_a_film_that_is_there_is_not_fetched_again(
    retrieve: Callable[..., Any], api: respx.MockRouter
) -> None:
    """Retrieving again, in this conversation or another, gives the same file without asking Venice."""
    route = api.post("/video/retrieve").mock(return_value=done())

    assert retrieve() == retrieve(job=f"It was `{JOB}`")
    assert 1 == route.call_count


def test_a_film_that_was_taken_away_is_fetched_anew(
    retrieve: Callable[..., Any], api: respx.MockRouter
) -> None:
    """When the file is gone, Venice is asked for it again."""
    route = api.post("/video/retrieve").mock(return_value=done())
    Path(retrieve()["file"]).unlink()

    assert FILM == Path(retrieve()["file"]).read_bytes()
    assert 2 == route.call_count


def test_two_jobs_are_two_files(retrieve: Callable[..., Any], api: respx.MockRouter) -> None:
    """Films of one model do not overwrite each other, even when their bytes are the same."""
    api.post("/video/retrieve").mock(return_value=done())

    assert retrieve()["file"] != retrieve(job=f"{JOB}-2")["file"]


@pytest.mark.parametrize(
    ("answers", "wait", "slept", "next_step"),
    [
        ([(0, 60)], 0, [], "Ask again in 60 s"),
        ([(0, 60), (20, 60), (40, 60)], 45, [20, 20], "Ask again in 20 s"),
        ([(50, 60), (55, 60), (61, 60), (66, 60)], 16, [5, 5, 5], "Ask again in 15 s"),
        ([(0, 12), (6, 12)], 6, [6], "Ask again in 15 s"),
        ([(0, 0)], -5, [], "Ask again in 15 s"),
    ],
    ids=["no wait", "long", "nearly done", "half of what is left", "negative"],
)
def test_waiting_is_bounded_and_slow(  # noqa: PLR0917 - the parameters of a table
    retrieve: Callable[..., Any],
    api: respx.MockRouter,
    clock: Clock,
    answers: list[tuple[int, int]],
    wait: int,
    slept: list[float],
    next_step: str,
) -> None:
    """It asks every 5 to 20 s, as long as it was told to wait, and then says when to ask again."""
    route = api.post("/video/retrieve").mock(side_effect=[processing(*one) for one in answers])
    reply = retrieve(wait_seconds=wait)

    assert (slept, len(answers)) == (clock.slept, route.call_count)
    assert ("processing", answers[-1][0], answers[-1][1]) == (
        reply["status"],
        reply["seconds_run"],
        reply["usual_seconds"],
    )
    assert reply["next"].startswith(next_step)
    assert JOB == reply["job"]


@pytest.mark.parametrize(
    ("milliseconds", "seconds"),
    [(3_600_000, 3600), (1499.0, 1), (-5000, 0), (10**12, 86_400), (None, 0), ("soon", 0)],
)
def test_how_far_a_job_is_comes_in_seconds(
    retrieve: Callable[..., Any], api: respx.MockRouter, milliseconds: Any, seconds: int
) -> None:
    """Venice's milliseconds are whole seconds, of which there are none below 0 and none beyond a day."""
    told = {"execution_duration": milliseconds, "average_execution_time": milliseconds}
    api.post("/video/retrieve").respond(json={"status": "PROCESSING", **told})
    reply = retrieve(wait_seconds=0)

    assert (seconds, seconds) == (reply.get("seconds_run"), reply.get("usual_seconds"))


def test_the_tools_own_time_bounds_the_wait(
    load_tool: Callable[[str], Tool],
    api: respx.MockRouter,
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
) -> None:
    """However long a wait is asked for, 20 s of the tool's time are left to fetch the file."""
    monkeypatch.setenv("VENICE_TOOL_SECONDS", "110")
    api.post("/video/retrieve").mock(return_value=processing(0, 1000))
    tool = load_tool("venice_retrieve_video")
    tool.__globals__["time"] = clock
    tool(job=JOB, wait_seconds=10_000)

    assert [20.0] * 4 == clock.slept


def test_waiting_ends_with_the_film(
    retrieve: Callable[..., Any], api: respx.MockRouter, clock: Clock
) -> None:
    """As soon as the film is done, it is there."""
    api.post("/video/retrieve").mock(side_effect=[processing(0, 20), done()])

    assert "file" in retrieve(wait_seconds=60)
    assert [10.0] == clock.slept


@pytest.mark.parametrize(
    ("kind", "suffix", "content"),
    [
        ("audio/mpeg", "mp3", SONG),
        ("audio/x-wav", "wav", whole_files()["wav"]),
        ("audio/flac; charset=binary", "flac", whole_files()["flac"]),
        ("application/octet-stream", "mp3", SONG),
        ("audio/mpeg", "wav", whole_files()["wav"]),
        ("", "opus", whole_files()["opus"]),
        ("video/mp4", "webm", whole_files()["webm"]),
    ],
)
def test_files_are_named_by_their_content(
    load_tool: Callable[[str], Tool], api: respx.MockRouter, kind: str, suffix: str, content: bytes
) -> None:
    """What a file is decides on its ending and type, whatever its Content-Type says."""
    api.post("/audio/retrieve").mock(return_value=done(content, kind))
    reply = json.loads(load_tool("venice_retrieve_music")(job=MUSIC))

    assert (f".{suffix}", content) == (Path(reply["file"]).suffix, Path(reply["file"]).read_bytes())
    assert (
        suffix if suffix not in ("mp3", "opus") else {"mp3": "mpeg", "opus": "ogg"}[suffix]
    ) in reply["type"]


@pytest.mark.parametrize(
    "content", [b"", b"<p>", b"\0" * 50, b"{", b"ID3", FILM[:12], FILM[:-1], SONG[:-1]], ids=repr
)
def test_what_is_no_film_is_not_kept(
    retrieve: Callable[..., Any], api: respx.MockRouter, media: Path, content: bytes
) -> None:
    """Bytes that are no film, or half of one, leave no file, and the agent may ask again."""
    api.post("/video/retrieve").mock(return_value=done(content))

    assert (
        "Venice sent no whole sound or film. If it does so again, tell the person. "
        "Asking is free: ask again in a minute. The job"
    ) in refusal(retrieve)
    assert [] == kept_in(media)


REFUSED = [
    (400, {"error": "Request ID is invalid."}, "Venice has no such job: copy the string exactly."),
    (404, {"error": "Not found"}, "Venice has no such job: copy the string exactly."),
    (403, {"error": "Not in your region"}, "ask the operator"),
    (422, errors.provider_policy("wan-2-7").body, "recommended_model: wan-2-7"),
    (422, errors.provider_policy("wan-2-7").body, "credits_refunded: True"),
    (
        422,
        errors.provider_policy("wan-2-7").body,
        "This is final for this job. credits_refunded says whether",
    ),
]


@pytest.mark.parametrize(("status", "body", "said"), REFUSED)
def test_a_refusal_ends_a_wait(  # noqa: PLR0917 - the parameters of a table
    retrieve: Callable[..., Any],
    api: respx.MockRouter,
    clock: Clock,
    status: int,
    body: Any,
    said: str,
) -> None:
    """A refusal is final for its job: it is told at once, with what became of the money."""
    route = api.post("/video/retrieve").respond(status, json=body)

    assert said in refusal(retrieve)
    assert (1, []) == (route.call_count, clock.slept)


PROCESSING = {"status": "PROCESSING", "execution_duration": 1000, "average_execution_time": 60_000}
# What passes, and what is said of it where it does not.
HICCUPS: dict[str, tuple[httpx.Response | Exception, str]] = {
    "reset": (httpx.ReadError("reset"), "sent no whole reply; nothing was charged"),
    "silence": (httpx.ReadTimeout("slow"), "took too long; nothing was charged"),
    "unreachable": (httpx.ConnectError("refused"), "cannot be reached"),
    "500": (
        httpx.Response(500, json={"error": "Inference failed"}),
        "answered 500: Inference failed.",
    ),
    "502": (httpx.Response(502, json={"error": "Bad gateway"}), "answered 502: Bad gateway."),
    "503": (httpx.Response(503, json={"error": "At capacity"}), "answered 503: At capacity."),
    "504": (httpx.Response(504, text="Gateway timeout"), "answered 504: Gateway timeout."),
    "429": (httpx.Response(429, json={"error": "Slow down"}), "answered 429: Slow down."),
    "gateway's page": (httpx.Response(200, html="<title>Wait</title>"), "answered 200: Wait."),
    "broken JSON": (
        httpx.Response(200, content=b"{", headers={"content-type": "application/json"}),
        "did not say",
    ),
    "nested JSON": (
        httpx.Response(200, content=b"[" * 100_000, headers={"content-type": "application/json"}),
        "did not say",
    ),
    "null": (
        httpx.Response(200, content=b"null", headers={"content-type": "application/json"}),
        "did not say",
    ),
    "list": (httpx.Response(200, json=[1]), "did not say"),
    "empty": (httpx.Response(200, json={}), "did not say"),
    "other status": (httpx.Response(200, json={"status": ["DONE"]}), "did not say"),
}


def answer_once_more(answer: httpx.Response | Exception) -> Any:
    """The same answer to each request, as a fresh one."""
    if isinstance(answer, Exception):
        return answer
    return lambda _: httpx.Response(
        answer.status_code, content=answer.content, headers=answer.headers
    )


@pytest.mark.parametrize("hiccup", [answer for answer, _ in HICCUPS.values()], ids=HICCUPS)
def test_a_hiccup_ends_no_wait(
    retrieve: Callable[..., Any],
    api: respx.MockRouter,
    monkeypatch: pytest.MonkeyPatch,
    hiccup: httpx.Response | Exception,
) -> None:
    """Asking is free: what breaks now and then is asked again, and the film is there."""
    monkeypatch.setenv("VENICE_TOOL_SECONDS", "600")
    broken = answer_once_more(hiccup)
    turns = iter(
        [broken, broken, lambda _: httpx.Response(200, json=PROCESSING), broken, lambda _: done()]
    )

    def answer(request: httpx.Request) -> httpx.Response:
        turn = next(turns)
        if isinstance(turn, Exception):
            raise turn
        reply: httpx.Response = turn(request)
        return reply

    api.post("/video/retrieve").mock(side_effect=answer)

    assert FILM == Path(retrieve(wait_seconds=100)["file"]).read_bytes()


@pytest.mark.parametrize(("hiccup", "said"), HICCUPS.values(), ids=HICCUPS)
def test_what_does_not_pass_is_told_when_the_time_is_up(
    retrieve: Callable[..., Any],
    api: respx.MockRouter,
    clock: Clock,
    hiccup: httpx.Response | Exception,
    said: str,
) -> None:
    """The last poll's trouble is told, and the job with which to ask again."""
    api.post("/video/retrieve").mock(side_effect=answer_once_more(hiccup))
    told = refusal(retrieve, wait_seconds=60)

    assert said in told
    assert told.endswith(f" The job: {JOB}.")
    if "has failed" not in told:
        assert 55 <= sum(clock.slept) <= 60


def test_a_failure_that_is_repeated_is_final(
    retrieve: Callable[..., Any], api: respx.MockRouter
) -> None:
    """A provider's 500 is replayed: after the third, the job has failed, and the agent is to look for the money."""
    route = api.post("/video/retrieve").respond(500, json={"error": "Inference failed"})
    told = refusal(retrieve, wait_seconds=100)

    assert (
        "so this job has failed. Its price should come back by itself: see in venice_report_usage"
        in told
    )
    assert told.endswith(f" The job: {JOB}.")
    assert 3 == route.call_count


@pytest.mark.parametrize("status", [422, 500])
def test_a_fault_of_the_media_server_is_not_the_end_of_a_job(
    space: Space, api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """What the media server answers says nothing of a film that was just bought: it is to be retrieved."""
    monkeypatch.setenv("VENICE_MEDIA", MEDIA_SERVER)
    api.get(f"{MEDIA_SERVER}/room").respond(json={})
    api.get(f"{MEDIA_SERVER}/files").respond(status, json={"error": "Out of order"})
    reply = space["_retrieve_kindly"]("video", JOB, 60)

    assert f"The media server answered {status}: Out of order." in reply["status"]
    assert "Call venice_retrieve_video with this job." == reply["next"]


@pytest.mark.parametrize("others", [[], ["Overloaded"], ["Inference failed", "Overloaded"]])
def test_a_failure_that_may_pass_is_not_final(
    retrieve: Callable[..., Any], api: respx.MockRouter, others: list[str]
) -> None:
    """One or two answers of 500, or such as differ, end no job."""
    answers = [httpx.Response(500, json={"error": said}) for said in [*others, "Inference failed"]]
    api.post("/video/retrieve").mock(side_effect=answers)
    told = refusal(retrieve, wait_seconds=5 * len(others))

    assert "has failed" not in told
    assert "Asking is free: ask again in a minute." in told


@pytest.mark.parametrize(
    "odd", [None, [], {}, "9", True, -5, 1e308, float("nan"), float("inf"), 10**400], ids=repr
)
def test_times_that_are_none_do_no_harm(
    retrieve: Callable[..., Any], api: respx.MockRouter, odd: Any
) -> None:
    """Of a job that is being made, times of another form count as none, and as a day at most."""
    body = json.dumps(
        {"status": "PROCESSING", "execution_duration": odd, "average_execution_time": odd}
    )
    api.post("/video/retrieve").respond(content=body, headers={"content-type": "application/json"})
    reply = retrieve(wait_seconds=0)

    assert "processing" == reply["status"]
    assert {reply["seconds_run"], reply["usual_seconds"]} <= {0, 24 * 60 * 60}


# --- films at an address of their own ---


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any host has the same public address."""
    monkeypatch.setattr(
        "socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("93.184.216.34", 0))]
    )


@pytest.mark.usefixtures("public")
def test_a_private_film_is_fetched_without_the_key(
    retrieve: Callable[..., Any], api: respx.MockRouter
) -> None:
    """COMPLETED means that the film lies at the job's own address, which is called as any public one is."""
    told = {"status": "COMPLETED", "execution_duration": 9, "average_execution_time": 9}
    api.post("/video/retrieve").respond(json=told)
    address = api.get("https://93.184.216.34/0f1e.mp4", params={"key": "a_b-c"}).mock(
        return_value=done()
    )
    reply = retrieve(job=PRIVATE)

    assert FILM == Path(reply["file"]).read_bytes()
    assert "films.example.org" == address.calls.last.request.headers["host"]
    assert "authorization" not in address.calls.last.request.headers
    assert reply == retrieve(job=JOB)


@pytest.mark.parametrize(
    "hiccup",
    [
        httpx.Response(503),
        httpx.Response(500),
        httpx.Response(429),
        httpx.ReadError("reset"),
        done(FILM[:-1]),
    ],
    ids=["503", "500", "429", "reset", "half"],
)
@pytest.mark.usefixtures("public")
def test_a_hiccup_of_an_address_ends_no_wait(
    retrieve: Callable[..., Any], api: respx.MockRouter, hiccup: httpx.Response | Exception
) -> None:
    """What lies at an address of its own is asked for again, as at Venice."""
    told = {"status": "COMPLETED", "execution_duration": 9, "average_execution_time": 9}
    api.post("/video/retrieve").respond(json=told)
    address = api.get("https://93.184.216.34/0f1e.mp4")
    address.mock(side_effect=[hiccup, done()])

    assert FILM == Path(retrieve(job=PRIVATE)["file"]).read_bytes()


def test_a_hiccup_of_the_look_up_ends_no_wait(
    retrieve: Callable[..., Any], api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where names can't be looked up for a moment, the address is asked for again."""
    found = [(2, 1, 6, "", ("93.184.216.34", 0))]
    passing = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    look_up = Mock(side_effect=[passing, found])
    monkeypatch.setattr("socket.getaddrinfo", look_up)
    told = {"status": "COMPLETED", "execution_duration": 9, "average_execution_time": 9}
    api.post("/video/retrieve").respond(json=told)
    api.get("https://93.184.216.34/0f1e.mp4").mock(return_value=done())

    assert FILM == Path(retrieve(job=PRIVATE)["file"]).read_bytes()
    assert 2 == look_up.call_count


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            socket.EAI_AGAIN,
            "'films.example.org' could not be looked up. Try again later. Asking is free",
        ),
        (socket.EAI_NONAME, "There is no host 'films.example.org'. Check the URL. The job"),
    ],
)
def test_a_host_that_is_not_found_is_told(
    retrieve: Callable[..., Any],
    api: respx.MockRouter,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    said: str,
) -> None:
    """What may pass is told when the time is up; that there is no such host, at once."""
    monkeypatch.setattr("socket.getaddrinfo", Mock(side_effect=socket.gaierror(code, "no")))
    told = {"status": "COMPLETED", "execution_duration": 9, "average_execution_time": 9}
    api.post("/video/retrieve").respond(json=told)

    assert said in refusal(retrieve, job=PRIVATE, wait_seconds=20)


@pytest.mark.usefixtures("public")
def test_an_address_that_does_not_answer_is_told_when_the_time_is_up(
    retrieve: Callable[..., Any], api: respx.MockRouter, clock: Clock
) -> None:
    """Its trouble is told as one that may pass, however often it comes: the job itself is done."""
    told = {"status": "COMPLETED", "execution_duration": 9, "average_execution_time": 9}
    api.post("/video/retrieve").respond(json=told)
    api.get("https://93.184.216.34/0f1e.mp4").respond(500)
    message = refusal(retrieve, job=PRIVATE, wait_seconds=30)

    assert "answered 500. Try again later. Asking is free: ask again in a minute." in message
    assert message.endswith(f" The job: {PRIVATE}.")
    assert [5.0] * 6 == clock.slept


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.usefixtures("public")
def test_an_address_with_nothing_there_means_that_the_film_is_gone(
    retrieve: Callable[..., Any], api: respx.MockRouter, clock: Clock, status: int
) -> None:
    """The agent learns at once that the job may be too old."""
    told = {"status": "COMPLETED", "execution_duration": 9, "average_execution_time": 9}
    api.post("/video/retrieve").respond(json=told)
    api.get("https://93.184.216.34/0f1e.mp4").respond(status)
    message = refusal(retrieve, job=PRIVATE)

    assert f"answered {status}. Venice has no such job: copy the string exactly." in message
    assert [] == clock.slept


def test_a_job_without_its_address_is_told(
    retrieve: Callable[..., Any], api: respx.MockRouter
) -> None:
    """A string that lost its last part leads to no film, and the agent learns why."""
    told = {"status": "COMPLETED", "execution_duration": 9, "average_execution_time": 9}
    api.post("/video/retrieve").respond(json=told)

    assert "its download address is missing here: copy the whole job string" in refusal(retrieve)


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::1]", "localhost"])
def test_an_address_in_a_private_network_is_not_called(
    retrieve: Callable[..., Any], api: respx.MockRouter, host: str
) -> None:
    """A job string is text that anybody may have written: it opens no way into the operator's network."""
    told = {"status": "COMPLETED", "execution_duration": 9, "average_execution_time": 9}
    route = api.post("/video/retrieve").respond(json=told)

    assert "private network" in refusal(retrieve, job=f"{JOB}|http://{host}/secret")
    assert 1 == len(api.calls) == route.call_count


# --- buying ---


def test_a_job_is_bought_once(space: Space, api: respx.MockRouter) -> None:
    """A reply that is lost may have been a purchase: it is not repeated, and the agent learns what to check."""
    route = api.post("/video/queue").mock(side_effect=httpx.ReadTimeout("slow"))

    assert (
        "it may be charged. Ask the person, or look at venice_report_usage, before you try again."
        in refusal(space["_queue"], "video", {}, 0.5)
    )
    assert 1 == route.call_count


@pytest.mark.parametrize(
    ("limit", "price"),
    [("1", 1.01), ("0", 0.01), ("0.50", 0.5001), (" 2 ", 3.0)],
    ids=["over", "none", "exact", "blanks"],
)
def test_what_is_too_dear_is_not_bought(
    space: Space, api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch, limit: str, price: float
) -> None:
    """Above the operator's limit nothing is queued, and the agent reads the price and the limit."""
    monkeypatch.setenv("VENICE_MAX_USD", limit)
    message = refusal(space["_queue"], "video", {}, price)

    assert (
        f"This costs {price:g} USD, and the operator allows {float(limit):g} a call (VENICE_MAX_USD)"
        in message
    )
    assert 0 == len(api.calls)


@pytest.mark.parametrize(
    ("limit", "price"),
    [("", 5), ("  ", 4.99), ("1", 1), ("1.0", 1), ("900", 899), ("none", 9e9), ("None", 6)],
)
def test_what_is_within_the_limit_is_bought(
    space: Space, api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch, limit: str, price: float
) -> None:
    """A price of just the limit is allowed; where the operator sets none, that is 5 dollars; "none" lifts it."""
    monkeypatch.setenv("VENICE_MAX_USD", limit)
    api.post("/video/queue").respond(json={"model": "wan", "queue_id": "1"})
    told = space["_queue"]("video", {}, price)

    assert ("venice-video|wan|1", price) == (told["job"], told["cost_usd"])


def test_without_a_setting_there_is_a_limit(space: Space, api: respx.MockRouter) -> None:
    """An operator who has set nothing is not surprised by a dear film."""
    message = refusal(space["_queue"], "video", {}, 5.01)

    assert "This costs 5.01 USD, and the operator allows 5 a call (VENICE_MAX_USD)" in message
    assert 0 == len(api.calls)


@pytest.mark.parametrize(("price", "is_bought"), [(1, True), (1.01, False)])
def test_a_price_that_may_be_more_is_half_as_much(
    space: Space,
    api: respx.MockRouter,
    monkeypatch: pytest.MonkeyPatch,
    price: float,
    is_bought: bool,
) -> None:
    """Where the price is only the least, a person decides on what is above half of the limit."""
    monkeypatch.setenv("VENICE_MAX_USD", "2")
    route = api.post("/video/queue").respond(json={"model": "wan", "queue_id": "1"})
    if is_bought:
        assert price == space["_queue"]("video", {}, price, is_least=True)["cost_usd"]
    else:
        assert "ask the person to store the videos as MP4 files" in refusal(
            space["_queue"], "video", {}, price, is_least=True
        )
    assert is_bought == route.called


@pytest.mark.parametrize(
    "limit",
    [
        "five",
        "-1",
        "1,50",
        "$2",
        "1e9",
        "nan",
        "inf",
        "\u0663",
        "\uff11",
        "1_0",
        "1.",
        ".5",
        "9999999",
    ],
)
def test_a_limit_that_is_no_number_stops_all_buying(
    space: Space, api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """An operator who meant to set a limit never finds that there was none, and reads how to write it."""
    monkeypatch.setenv("VENICE_MAX_USD", limit)
    message = refusal(space["_queue"], "video", {}, 0.01)

    assert (
        "VENICE_MAX_USD is no number of dollars. It must be written as 1.50, with a point and no sign"
        in message
    )
    assert 0 == len(api.calls)


def test_consent_is_for_a_person_to_give(space: Space, api: respx.MockRouter) -> None:
    """Where Venice asks for consent, the agent gets the whole policy to show, and nothing is sent again."""
    policy = "I confirm. " * 200
    body = faults.CONSENT | {"consent": {"consent_version": "1", "policy_text": policy}}
    route = api.post("/video/queue").respond(409, json=body)
    told = space["_queue"]("video", {"model": "seedance"}, 0.5)

    assert policy == told["policy"]
    assert "nothing was queued, nothing was spent" in told["status"]
    assert ["image"] == told["faces_in"]
    assert faults.CONSENT["docs_url"] == told["how"]
    assert "Only they can consent" in told["next"]
    assert "job" not in told
    assert 1 == route.call_count


def test_no_text_can_consent(texts: dict[str, str]) -> None:
    """No tool holds the words with which one consents."""
    assert [] == [name for name, text in texts.items() if "confirmed_" in text]


# --- deleting ---


@pytest.fixture
def delete(load_tool: Callable[[str], Tool]) -> Callable[..., Any]:
    """Delete Venice's copy; the reply as an object."""
    tool = load_tool("venice_delete_video")
    return lambda **arguments: json.loads(tool(**{"job": JOB, **arguments}))


def test_only_what_is_stored_is_deleted(
    delete: Callable[..., Any], retrieve: Callable[..., Any], api: respx.MockRouter
) -> None:
    """Venice's copy goes only after the file is whole here, and the file stays."""
    route = api.post("/video/retrieve").mock(side_effect=lambda _: done())

    assert "It is not stored here, and would be lost. Call venice_retrieve_video first" in refusal(
        delete
    )
    assert not route.called
    file = retrieve()["file"]
    assert {"deleted": True, "copy": HANDED_OUT, "file": file} == delete()
    asked = {"model": "wan-2.5", "queue_id": "0f1e2d3c", "delete_media_on_completion": True}
    assert asked == json.loads(route.calls.last.request.content)
    assert FILM == Path(file).read_bytes()


def test_a_film_is_deleted_once_all_of_it_came(
    delete: Callable[..., Any], retrieve: Callable[..., Any], api: respx.MockRouter
) -> None:
    """Venice deletes a film after it has handed it out: one that breaks off is not said to be deleted."""
    api.post("/video/retrieve").mock(return_value=done())
    retrieve()

    def cut() -> Iterator[bytes]:
        yield FILM[:50]
        raise httpx.ReadError("cut")

    api.post("/video/retrieve").mock(
        return_value=httpx.Response(200, content=cut(), headers={"content-type": "video/mp4"})
    )

    assert "sent no whole reply" in refusal(delete)


@pytest.mark.parametrize("status", [400, 404, 410])
def test_what_venice_does_not_know_is_gone(
    delete: Callable[..., Any], retrieve: Callable[..., Any], api: respx.MockRouter, status: int
) -> None:
    """Of a film that is stored here, the string is right, so Venice's copy is gone; else the string may be wrong."""
    told = f"Venice answered {status}: Request ID is invalid."
    api.post("/video/retrieve").respond(status, json={"error": "Request ID is invalid."})
    assert told in refusal(delete, even_if_not_stored=True)
    api.post("/video/retrieve").mock(return_value=done())
    retrieve()
    api.post("/video/retrieve").respond(status, json={"error": "Request ID is invalid."})
    reply = delete()

    assert reply["deleted"]
    assert reply["copy"].startswith(f"It seems to be gone. {told}")


@pytest.mark.parametrize("status", [401, 403, 422, 500])
def test_what_venice_refuses_to_delete_is_not_gone(
    delete: Callable[..., Any], retrieve: Callable[..., Any], api: respx.MockRouter, status: int
) -> None:
    """Of any other refusal the film may still be at Venice."""
    api.post("/video/retrieve").mock(return_value=done())
    retrieve()
    api.post("/video/retrieve").respond(status, json={"error": "No."})

    assert f"Venice answered {status}: No." in refusal(delete)


def test_half_a_file_is_none(delete: Callable[..., Any], space: Space) -> None:
    """A download that is under way, or broke off, does not count as stored."""
    place = space["_place_of"](space["_read_job"](JOB, "video"))
    place.parent.mkdir()
    place.with_suffix(".77.part").write_bytes(FILM[:50])

    assert "It is not stored here" in refusal(delete)


def test_a_caller_may_insist(delete: Callable[..., Any], api: respx.MockRouter) -> None:
    """What was never fetched is deleted only when that is said; one that is not done yet stays."""
    api.post("/video/retrieve").mock(return_value=processing(10, 60))
    reply = delete(even_if_not_stored=True)

    assert (False, "Venice still has it: the film is not finished.") == (
        reply["deleted"],
        reply["copy"],
    )
    assert "Try again in a few minutes." == reply["next"]


def test_a_folder_without_room_keeps_nothing_at_venice(
    delete: Callable[..., Any],
    api: respx.MockRouter,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """To delete takes no room: where the media store is at fault, what was never fetched can go all the same."""
    route = api.post("/video/retrieve").mock(side_effect=lambda _: done())
    (tmp_path / "no-folder").touch()
    monkeypatch.setenv("VENICE_MEDIA_DIR", str(tmp_path / "no-folder"))

    assert "It is not stored here, and would be lost." in refusal(delete)
    assert not route.called
    assert delete(even_if_not_stored=True)["deleted"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (httpx.ConnectError("gone"), "does not answer at VENICE_MEDIA"),
        (httpx.Response(500, json={"error": "Out of order"}), "answered 500: Out of order."),
    ],
    ids=["down", "500"],
)
def test_a_media_server_at_fault_keeps_nothing_at_venice(
    delete: Callable[..., Any],
    api: respx.MockRouter,
    monkeypatch: pytest.MonkeyPatch,
    answer: httpx.Response | Exception,
    told: str,
) -> None:
    """Where it can't be known whether a film is stored, it is deleted all the same, if that is said; else not."""
    route = api.post("/video/retrieve").mock(side_effect=lambda _: done())
    monkeypatch.setenv("VENICE_MEDIA", MEDIA_SERVER)
    api.get(f"{MEDIA_SERVER}/files").mock(side_effect=answer_once_more(answer))

    assert told in refusal(delete)
    assert not route.called
    assert {"deleted": True, "copy": HANDED_OUT} == delete(even_if_not_stored=True)


def test_music_is_deleted_too(delete: Callable[..., Any], api: respx.MockRouter) -> None:
    """A job of music goes to its own endpoint."""
    route = api.post("/audio/complete").respond(json={"success": True})
    delete(job=MUSIC, even_if_not_stored=True)

    assert {"model": "elevenlabs-music", "queue_id": "77"} == json.loads(
        route.calls.last.request.content
    )


def test_deleting_music_costs_nothing(delete: Callable[..., Any], api: respx.MockRouter) -> None:
    """When no answer comes, it may be tried again."""
    api.post("/audio/complete").mock(side_effect=httpx.ReadError("reset"))

    assert "nothing was charged. Try again." in refusal(delete, job=MUSIC, even_if_not_stored=True)


@pytest.mark.usefixtures("public")
def test_an_address_is_revoked(delete: Callable[..., Any], api: respx.MockRouter) -> None:
    """A film that lies at an address of its own is deleted there, without the key."""
    address = api.delete("https://93.184.216.34/v1/share/read/0f1e.a_b-c").respond(204)

    what_became = "Venice has deleted it at its download address."
    assert {"deleted": True, "copy": what_became} == delete(job=SHARED, even_if_not_stored=True)
    assert "private-share.venice.ai" == address.calls.last.request.headers["host"]
    assert "authorization" not in address.calls.last.request.headers


@pytest.mark.parametrize(
    "url",
    [
        "https://films.example.org/v1/share/read/0f1e",
        "http://private-share.venice.ai/v1/share/read/0f1e",
        "https://private-share.venice.ai:8443/v1/share/read/0f1e",
        "https://me@private-share.venice.ai/v1/share/read/0f1e",
        "https://private-share.venice.ai.example.org/v1/share/read/0f1e",
        "https://private-share.venice.ai/v1/share/read/",
        "https://private-share.venice.ai/v1/share/read/../write/0f1e",
        "https://private-share.venice.ai/v1/share/read/%2e%2e/write",
        "https://private-share.venice.ai/v1/share/read/%252e%252e/write",
        "https://private-share.venice.ai/v2/keys/0f1e",
        "https://api.venice.ai/api/v1/api_keys?id=0f1e",
        "https://api.venice.ai/files/../api/v1/api_keys",
        "https://api.venice.ai/files/a/b.mp4",
        "http://127.0.0.1/files/0f1e.mp4",
        "http://[::1/files/0f1e.mp4",
        "http://a.example:99999999/files/0f1e.mp4",
    ],
)
@pytest.mark.usefixtures("public")
def test_only_a_download_address_is_revoked(
    delete: Callable[..., Any], api: respx.MockRouter, url: str
) -> None:
    """A job string is text that anybody may have written: it deletes nothing elsewhere, nor anything else of Venice."""
    assert "The address in this job is none of Venice's." in refusal(
        delete, job=f"{JOB}|{url}", even_if_not_stored=True
    )
    assert 0 == len(api.calls)


@pytest.mark.usefixtures("public")
def test_a_redirect_deletes_nothing(delete: Callable[..., Any], api: respx.MockRouter) -> None:
    """What lies where an address leads to was not meant, and stays."""
    away = {"location": "https://93.184.216.34/else"}
    address = api.delete("https://93.184.216.34/v1/share/read/0f1e.a_b-c").respond(
        307, headers=away
    )

    assert "answered 307" in refusal(delete, job=SHARED, even_if_not_stored=True)
    assert [1, 1] == [address.call_count, len(api.calls)]


@pytest.mark.parametrize("told", [[], "yes", {}, {"success": "true"}, {"success": None}], ids=repr)
def test_what_venice_does_not_say_is_not_deleted(
    delete: Callable[..., Any], api: respx.MockRouter, told: Any
) -> None:
    """Only Venice's own "success" counts as deleted."""
    api.post("/video/retrieve").respond(json=told)
    api.post("/audio/complete").respond(json=told)

    assert False is delete(even_if_not_stored=True)["deleted"]
    assert False is delete(job=MUSIC, even_if_not_stored=True)["deleted"]


# --- over a real connection ---


@pytest.fixture
def local(venice: LocalVenice, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalVenice]:
    """The local Venice as the tools' Venice; no fault outlives the test."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    yield venice
    venice.clear_faults()


def bought(load_tool: Callable[[str], Tool], **settings: Any) -> str:
    """The job string of a film that was bought just now."""
    tool = load_tool("venice_queue_video")
    reply = json.loads(tool(**{"prompt": "A fox", "resolution": "480p", **settings}))
    tool.__globals__["_client"]().close()
    return str(reply["job"])


def fetch(load_tool: Callable[[str], Tool], job: str, **settings: Any) -> Any:
    """The reply of a retrieval by a tool of a fresh process, so to say."""
    tool = load_tool("venice_retrieve_video")
    try:
        return json.loads(tool(job=job, **settings))
    finally:
        tool.__globals__["_client"]().close()


@pytest.mark.parametrize("fault", ["reset", "reset-midway"])
def test_a_broken_download_can_be_repeated(
    local: LocalVenice, load_tool: Callable[[str], Tool], media: Path, fault: str
) -> None:
    """When the connection breaks, no part stays, nothing is deleted, and the next call gets all of it."""
    job = bought(load_tool)
    local.order_fault(fault=fault, path="/video/retrieve", bytes=3000)

    assert "sent no whole reply; nothing was charged. Try again." in refusal(
        fetch, load_tool, job, wait_seconds=0
    )
    assert [] == kept_in(media)
    assert b"ftyp" == Path(fetch(load_tool, job)["file"]).read_bytes()[4:8]


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault", ["reset", "reset-midway", "broken-json", "status-500", "status-502", "html"]
)
def test_a_hiccup_does_not_end_a_wait(
    local: LocalVenice, load_tool: Callable[[str], Tool], fault: str
) -> None:
    """Over a real connection, what breaks once while a job is waited for does no harm."""
    job = bought(load_tool)
    local.order_fault(fault=fault, path="/video/retrieve", bytes=3000)
    tool = load_tool("venice_retrieve_video")
    tool.__globals__["time"] = clock = Clock()

    assert b"ftyp" == Path(json.loads(tool(job=job))["file"]).read_bytes()[4:8]
    assert [5.0] == clock.slept
    tool.__globals__["_client"]().close()


def test_a_download_that_takes_too_long_can_be_repeated(
    local: LocalVenice,
    load_tool: Callable[[str], Tool],
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A film that trickles is given up in time, and leaves no part."""
    job = bought(load_tool)
    local.order_fault(fault="drip", path="/video/retrieve", bytes=1000, seconds=0.3)
    monkeypatch.setenv("VENICE_TOOL_SECONDS", "1")

    assert "took too long; nothing was charged. Try again." in refusal(fetch, load_tool, job)
    assert [] == kept_in(media)


def test_a_private_film_comes_from_the_local_venice(
    local: LocalVenice, load_tool: Callable[[str], Tool]
) -> None:
    """The operator's own Venice may be in a private network: its addresses are called."""
    job = bought(load_tool, model="grok-imagine-text-to-video-private")

    assert f"|{local.base_url.removesuffix('/api/v1')}/files/" in job
    assert b"ftyp" == Path(fetch(load_tool, job)["file"]).read_bytes()[4:8]


# Not getrusage: its ru_maxrss counts what the process that forked this one had, too.
PROGRAM = """
import re
{text}
if {job!r}:
    print(venice_retrieve_video(job={job!r}), file=sys.stderr)
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


@pytest.mark.slow
def test_a_large_film_takes_little_memory(texts: dict[str, str], tmp_path: Path) -> None:
    """A film of 300 MB costs at most 30 MB of memory above what a tool takes that does nothing."""
    size = 300_000_000

    def peak(job: str, **settings: str) -> int:
        program = PROGRAM.format(text=texts["venice_retrieve_video"], job=job)
        environment = {
            "PATH": os.environ["PATH"],
            "VENICE_MEDIA_DIR": str(tmp_path / "media"),
            **settings,
        }
        command = [sys.executable, "-I", "-"]
        ran = subprocess.run(
            command,
            input=program,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        if job:
            assert (
                size
                == json.loads(ran.stderr)["bytes"]
                == Path(json.loads(ran.stderr)["file"]).stat().st_size
            )
        return int(ran.stdout)

    with running_venice(allow_faults=True) as venice:
        venice.order_fault(
            fault="bytes", path="/video/retrieve", bytes=size, content_type="video/mp4"
        )
        with_film = peak(JOB, VENICE_API_KEY=venice.key, VENICE_BASE_URL=venice.base_url)

    assert with_film - peak("") < 30_000  # kilobytes
