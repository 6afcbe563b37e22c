import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import respx

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.tools.conftest import refusal

Tool = Callable[..., str]
CALL: dict[str, Any] = {"question": "What is the newest version of Python?"}
LIMIT = 8000
"""A reply longer than this is a burden to an agent's memory."""


class BrokenStream(httpx.SyncByteStream):
    """A reply that the network drops after some of it."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self.content
        raise httpx.ReadError("Connection reset by peer")


def model(name: str, **spec: Any) -> dict[str, Any]:
    """A text model as Venice lists it."""
    spec = {
        "name": name,
        "privacy": "private",
        "traits": [],
        "capabilities": {"supportsWebSearch": True},
    } | spec
    return {
        "id": name,
        "type": "text",
        "object": "model",
        "owned_by": "venice.ai",
        "model_spec": spec,
    }


def piece(text: str | None, ending: str | None = None, **more: Any) -> dict[str, Any]:
    """An event of a stream."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": ending}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice], **more}


def pages(*found: dict[str, Any]) -> dict[str, Any]:
    """Search results as they stand at the top level of an event."""
    return {"venice_parameters": {"web_search_citations": list(found)}}


def page(number: int, content: str = "", **more: Any) -> dict[str, Any]:
    """A page that the search found."""
    return {
        "title": f"Page {number}",
        "url": f"https://example.org/{number}",
        "content": content,
        **more,
    }


def stream(*events: dict[str, Any]) -> bytes:
    """Events as they come over the line."""
    return "".join(
        f"data: {json.dumps(event, ensure_ascii=False)}\n\n" for event in events
    ).encode()


END = b"data: [DONE]\n\n"


@pytest.fixture
def models(api: respx.MockRouter) -> respx.Route:
    """The list of models: one, until a test gives more."""
    return api.get("/models").respond(
        json={"object": "list", "data": [model("glm", traits=["default"])]}
    )


@pytest.fixture
def ask(api: respx.MockRouter, models: respx.Route, tool: Tool) -> Callable[..., Any]:
    """Ask, while Venice streams these events; the tool's reply."""
    assert not models.called

    def run(*events: dict[str, Any], raw: bytes = b"", **arguments: Any) -> Any:
        api.post("/chat/completions").respond(
            content=stream(*events) + (raw or END), content_type="text/event-stream"
        )
        reply = tool(**{"question": "How tall is it?", **arguments})
        assert len(reply) < LIMIT
        return json.loads(reply)

    return run


def sent(api: respx.MockRouter) -> Any:
    """The body of the one chat request."""
    bodies = [
        json.loads(call.request.content) for call in api.calls if call.request.method == "POST"
    ]
    assert 1 == len(bodies)
    return bodies[0]


def test_sends_one_question_with_search_and_citations(
    ask: Callable[..., Any], api: respx.MockRouter
) -> None:
    """The request holds the question, the search settings and nothing that nobody asked for."""
    ask(piece("330 m.", "stop"))

    assert {
        "model": "glm",
        "messages": [{"role": "user", "content": "How tall is it?"}],
        "venice_parameters": {
            "enable_web_search": "on",
            "enable_web_citations": True,
            "enable_web_scraping": False,
            "include_search_results_in_stream": True,
        },
        "stream": True,
        "stream_options": {"include_usage": True},
    } == sent(api)
    assert {"type": "text"} == dict(api.calls[0].request.url.params)
    assert "Bearer sk-in-process" == api.calls[1].request.headers["authorization"]


@pytest.mark.parametrize("question", ["", "  ", "\n"])
def test_no_question_costs_nothing(
    ask: Callable[..., Any], api: respx.MockRouter, question: str
) -> None:
    """Where nothing is asked, nothing is searched and paid; the line says what to give."""
    assert "The question is empty" in refusal(ask, question=question)
    assert 0 == len(api.calls)


def test_search_and_read_urls_reach_venice(ask: Callable[..., Any], api: respx.MockRouter) -> None:
    """The caller's choices of searching and reading are sent as Venice's own settings."""
    ask(piece("Yes.", "stop"), search="auto", read_urls=True)

    parameters = sent(api)["venice_parameters"]
    assert ("auto", True) == (parameters["enable_web_search"], parameters["enable_web_scraping"])


def test_answers_with_text_sources_model_and_cost(ask: Callable[..., Any]) -> None:
    """The whole reply: the answer, the page that it rests on, the model, and what Venice says it cost."""
    tower = page(
        1, "The tower is <strong>330 m</strong> tall.", title="The tower", date="2024-03-18"
    )
    reply = ask(
        piece("", None, **pages(tower)),
        piece("It is 330 m "),
        piece("tall.^1^"),
        piece(None, "stop"),
        {"choices": [], "usage": {"total_tokens": 9}, "cost": {"usd": 0.0123, "diem": 0}},
    )

    source = {
        "number": 1,
        "title": "The tower",
        "url": "https://example.org/1",
        "date": "2024-03-18",
        "excerpt": "The tower is 330 m tall.",
    }
    assert {
        "answer": "It is 330 m tall.[1]",
        "sources": [source],
        "model": "glm",
        "cost_usd": 0.0123,
    } == reply


@pytest.mark.parametrize(
    ("written", "shown", "numbers"),
    [
        ("A.^1^ B.", "A.[1] B.", [1]),
        ("A.^1,2^", "A.[1][2]", [1, 2]),
        ("A.^1, 3^", "A.[1][3]", [1, 3]),
        ("A.[REF]0[/REF] B.[REF]2[/REF]", "A.[1] B.[3]", [1, 3]),
        ("In [2024] it rose.", "In [2024] it rose.", [1, 2, 3]),
        ("No marker.", "No marker.", [1, 2, 3]),
        ("x^2 and y^2", "x^2 and y^2", [1, 2, 3]),
    ],
    ids=["caret", "carets", "spaced", "ref-counts-from-0", "year-in-brackets", "none", "powers"],
)
def test_markers_match_source_numbers(
    ask: Callable[..., Any], written: str, shown: str, numbers: list[int]
) -> None:
    """Both of Venice's markers become [n], and the sources listed are those n; all pages when none is cited."""
    reply = ask(piece(written, "stop", **pages(page(1), page(2), page(3))))

    assert shown == reply["answer"]
    assert numbers == [source["number"] for source in reply["sources"]]


@pytest.mark.parametrize(
    ("answer", "excerpt"),
    [
        ("Bees dance.^1^ Foxes sleep under sheds by day.^2^", "By day a fox sleeps under sheds."),
        (
            "Bees dance. ^1^ Foxes sleep under sheds by day. ^2^ More.",
            "By day a fox sleeps under sheds.",
        ),
        ("There were 42.^2^", "Some 42 were seen."),
    ],
    ids=["marker-at-the-stop", "marker-after-a-space", "by-number"],
)
def test_an_excerpt_supports_its_claim(ask: Callable[..., Any], answer: str, excerpt: str) -> None:
    """Of a page, that sentence is shown which says what the marked sentence says."""
    text = "Foxes are mammals. They bark. Some 42 were seen. They eat mice. By day a fox sleeps under sheds. It rains."
    reply = ask(piece(answer, "stop", **pages(page(1), page(2, text))))

    assert reply["sources"][-1]["excerpt"].startswith(excerpt)


def test_markup_is_cleaned_from_sources(ask: Callable[..., Any]) -> None:
    """Neither tags nor HTML entities of a page reach the agent."""
    found = page(
        1,
        "A city <strong>fox</strong>&#x27;s den\n is &quot;small&quot;.",
        title="<b>Foxes</b> &amp; bees",
    )
    source = ask(piece("Small.^1^", "stop", **pages(found)))["sources"][0]

    assert ("Foxes & bees", 'A city fox\'s den is "small".') == (source["title"], source["excerpt"])


def test_no_citations_is_said(ask: Callable[..., Any]) -> None:
    """An answer without any page says that it is the model's own knowledge."""
    reply = ask(piece("Four.", "stop"))

    assert ["No page was found or needed: this is the model's own knowledge."] == reply["notes"]
    assert "sources" not in reply


READ = "Venice read these links in place of a search, as far as it could."


def test_links_that_were_read_are_the_sources(ask: Callable[..., Any]) -> None:
    """Venice cites nothing when it reads the question's links, so that those are named, and no own knowledge."""
    links = "(https://example.org/a), https://example.org/b."
    reply = ask(piece("Small.^2^", "stop"), question=f"Compare {links}", read_urls=True)

    (source,) = reply["sources"]
    assert [READ] == reply["notes"]
    assert (2, "https://example.org/b") == (source["number"], source["url"])


@pytest.mark.parametrize(
    ("question", "links"),
    [
        ("Read https://a.example/Mercury_(planet).", ["https://a.example/Mercury_(planet)"]),
        ("Read (https://a.example/Mercury_(planet)), please.", ["https://a.example/Mercury_(planet)"]),
        ("Read https://a.example/Rock_'n'_roll!", ["https://a.example/Rock_'n'_roll"]),
        ("Read 'https://a.example/b'.", ["https://a.example/b"]),
        ("'https://a.example/b','https://a.example/c'", ["https://a.example/b", "https://a.example/c"]),
        ("Read [this](https://a.example/b?c=(d)e).", ["https://a.example/b?c=(d)e"]),
        ("[1](https://a.example/b)[2](HTTPS://a.example/c)", ["https://a.example/b", "HTTPS://a.example/c"]),
        ("https://a.example/b(c, https://.", ["https://a.example/b"]),
    ],
)  # fmt: skip
def test_a_link_is_named_as_it_is_written(
    ask: Callable[..., Any], question: str, links: list[str]
) -> None:
    """Parentheses and apostrophes belong to a link, but for those of the sentence around it."""
    sources = ask(piece("So.", "stop"), question=question, read_urls=True)["sources"]

    assert links == [source["url"] for source in sources]


def test_of_many_links_five_are_sources(ask: Callable[..., Any]) -> None:
    """Venice reads no more, so that no more are named; one that stands there twice is one."""
    links = " ".join(f"https://example.org/{number}" for number in (1, 1, 2, 3, 4, 5, 6))
    sources = ask(piece("So.", "stop"), question=links, read_urls=True)["sources"]

    assert [f"https://example.org/{number}" for number in range(1, 6)] == [
        source["url"] for source in sources
    ]


@pytest.mark.parametrize(
    ("question", "read_urls"),
    [("Who won?", True), ("What does https://example.org say?", False)],
    ids=["no-link", "links-not-read"],
)
def test_what_was_not_read_is_no_source(
    ask: Callable[..., Any], question: str, *, read_urls: bool
) -> None:
    """Only links that Venice was told to read are sources."""
    reply = ask(piece("Four.", "stop"), question=question, read_urls=read_urls)

    assert "sources" not in reply
    assert reply["notes"][0].startswith("No page was found or needed")


MISSED = "The sources of this answer, if it has any, did not come: say so, or ask once more."


@pytest.mark.parametrize("written", ["Four.^1^", "Four.[REF]0[/REF]", "Four [1]."])
def test_citations_that_did_not_come_are_said(ask: Callable[..., Any], written: str) -> None:
    """An answer that cites what did not come is not called the model's own knowledge."""
    assert [MISSED] == ask(piece(written, "stop"))["notes"]


def test_a_year_in_brackets_cites_nothing(ask: Callable[..., Any]) -> None:
    """Only a small number stands for a source."""
    (note,) = ask(piece("It rose in [2024].", "stop"))["notes"]

    assert note.startswith("No page was found or needed")


@pytest.mark.parametrize("ending", ["length", None], ids=["length", "cut"])
def test_an_answer_that_was_cut_before_its_sources_says_so(
    ask: Callable[..., Any], ending: str | None
) -> None:
    """They come at the end of a stream, so that nobody knows whether there were any."""
    assert [CUT, MISSED] == ask(piece("It is", ending))["notes"]


@pytest.mark.usefixtures("models")
def test_a_drop_between_an_answer_and_its_sources_is_said(
    api: respx.MockRouter, tool: Tool
) -> None:
    """The answer is whole, and its sources are missing."""
    api.post("/chat/completions").respond(stream=BrokenStream(stream(piece("Four.", "stop"))))

    assert [MISSED] == json.loads(tool(question="?"))["notes"]


def test_a_fault_between_an_answer_and_its_sources_is_said(ask: Callable[..., Any]) -> None:
    """Where Venice fails after the answer, it is whole, and its sources are missing."""
    reply = ask(piece("Four.", "stop"), {"error": {"message": "Search failed"}})

    assert ("Four.", [MISSED]) == (reply["answer"], reply["notes"])


def test_pages_without_content_and_date_are_sources_too(ask: Callable[..., Any]) -> None:
    """Only title and URL are certain in a citation."""
    reply = ask(piece("So.^1^", "stop", **pages({"title": "T", "url": "https://example.org"})))

    assert [
        {"number": 1, "title": "T", "url": "https://example.org", "date": None, "excerpt": ""}
    ] == reply["sources"]


def test_citations_on_a_later_event_are_found(ask: Callable[..., Any]) -> None:
    """Venice's documents disagree about which event carries the pages, so each is looked at."""
    reply = ask(piece("So."), piece("^1^", "stop"), {"choices": [], **pages(page(1))})

    assert [1] == [source["number"] for source in reply["sources"]]


def test_thinking_and_empty_events_are_no_answer(ask: Callable[..., Any]) -> None:
    """Null content, no choices, thoughts and other lines do not disturb the text."""
    thought = {"choices": [{"index": 0, "delta": {"content": None, "reasoning_content": "Hm."}}]}
    reply = ask(
        thought,
        {"choices": []},
        {"choices": None},
        piece("A"),
        piece("B", "stop"),
        raw=b": ping\n\n" + END,
    )

    assert "AB" == reply["answer"]


@pytest.mark.parametrize("separator", ["\u2028", "\x85", "\u2029"], ids=ascii)
def test_a_line_separator_in_the_text_ends_no_event(
    ask: Callable[..., Any], separator: str
) -> None:
    """JSON may hold characters that Unicode calls line ends; in a stream only a line feed is one."""
    assert f"one{separator}two" == ask(piece(f"one{separator}two", "stop"))["answer"]


def test_events_may_come_without_a_space_and_with_crlf(ask: Callable[..., Any]) -> None:
    """The standard of event streams allows both."""
    raw = stream(piece("Yes.", "stop")).replace(b"data: ", b"data:").replace(b"\n", b"\r\n")

    assert "Yes." == ask(raw=raw)["answer"]


def test_an_emoji_torn_by_the_stream_is_whole(ask: Callable[..., Any]) -> None:
    """Halves of a character that came in two events are joined; Letta could not store them."""
    halves = (
        rb'data: {"choices":[{"delta":{"content":"\ud83e"}}]}',
        rb'data: {"choices":[{"delta":{"content":"\udd8a"}}]}',
    )

    assert "\N{FOX FACE}" == ask(raw=b"\n\n".join([*halves, END]))["answer"]


CUT = "The answer broke off before its end; ask something narrower for the rest."


@pytest.mark.parametrize("ending", ["length", None], ids=["length", "cut"])
def test_an_unfinished_answer_says_so(ask: Callable[..., Any], ending: str | None) -> None:
    """An answer that ran out of tokens, or whose stream just ended, is given with a note."""
    reply = ask(piece("It is^1^ 3", ending, **pages(page(1))))

    assert ("It is[1] 3", [CUT]) == (reply["answer"], reply["notes"])


@pytest.mark.usefixtures("models")
def test_a_dropped_stream_keeps_what_was_said(api: respx.MockRouter, tool: Tool) -> None:
    """When the connection breaks in the middle, the agent gets the beginning; nothing is sent again."""
    start = stream(piece("It is 3", None, **pages(page(1)))) + b'data: {"choi'
    route = api.post("/chat/completions").respond(stream=BrokenStream(start))
    reply = json.loads(tool(question="?"))

    assert ("It is 3", [CUT], 1) == (reply["answer"], reply["notes"], route.call_count)


@pytest.mark.usefixtures("models")
def test_a_drop_after_the_end_is_no_cut(api: respx.MockRouter, tool: Tool) -> None:
    """An answer that the model had ended is whole, whatever happens to the connection then."""
    whole = stream(piece("It is 330 m.^1^", "stop", **pages(page(1))))
    api.post("/chat/completions").respond(stream=BrokenStream(whole))

    assert "notes" not in json.loads(tool(question="?"))


def test_an_error_in_the_stream_keeps_what_was_said(ask: Callable[..., Any]) -> None:
    """Venice may fail in the middle of an answer; what was said is paid and kept."""
    error = {"error": {"message": "Inference processing failed", "type": "server_error"}}
    reply = ask(piece("It is 3", None, **pages(page(1))), error)

    (note,) = reply["notes"]
    assert "It is 3" == reply["answer"]
    assert "for Venice failed: Inference processing failed; type: server_error. " in note


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([{"error": {"message": "Inference processing failed"}}], "Inference processing failed"),
        ([piece(None, "content_filter")], "content_filter"),
        ([piece("  \n", "length")], "length"),
        ([], "cut"),
    ],
    ids=["error-event", "filtered", "blank", "empty"],
)
def test_silence_is_an_error(
    ask: Callable[..., Any], events: list[dict[str, Any]], reason: str
) -> None:
    """A stream without any text is an error of one line that says why."""
    with pytest.raises(Exception, match=reason) as failure:
        ask(*events)

    assert "VeniceError" == type(failure.value).__name__
    assert "it may be charged. " in str(failure.value)


@pytest.mark.parametrize(
    ("options", "effort"),
    [(["none", "low", "high"], "low"), (["none", "high", "max"], None), (None, None)],
    ids=["offered", "not-offered", "null"],
)
def test_thinks_little_only_where_the_model_can(
    ask: Callable[..., Any],
    api: respx.MockRouter,
    models: respx.Route,
    options: Any,
    effort: str | None,
) -> None:
    """Reasoning effort "low" is sent to the models that list it, for Venice refuses what a model lacks."""
    capabilities = {"supportsWebSearch": True, "reasoningEffortOptions": options}
    models.respond(json={"data": [model("glm", capabilities=capabilities)]})
    ask(piece("Yes.", "stop"))

    assert effort == sent(api).get("reasoning_effort")


def test_a_long_answer_is_shortened_with_a_note(ask: Callable[..., Any]) -> None:
    """More than 5,000 characters become fewer, cut at a word, and the agent is told."""
    reply = ask(piece("word " * 2000, "stop", **pages(page(1, "word " * 900))))

    assert 5000 < len(reply["answer"]) + 5 < 5010
    assert [
        "The answer was shortened to 5,000 characters; ask something narrower for the rest."
    ] == reply["notes"]
    assert reply["answer"].endswith("word ...")


def test_many_long_sources_keep_the_reply_short(ask: Callable[..., Any]) -> None:
    """Twenty pages with long titles and texts beside a long answer still make a reply under 8,000 characters."""
    found = [page(number, "A fact. " * 100, title="Title " * 50) for number in range(1, 21)]
    markers = "".join(f"^{number}^" for number in range(1, 21))
    reply = ask(piece(markers + "word " * 2000, "stop", **pages(*found)))

    assert list(range(1, 11)) == [source["number"] for source in reply["sources"]]


LISTED = [
    model("e2ee-x", capabilities={"supportsWebSearch": False}),
    model("old", deprecation={"date": "2026-12-01"}),
    model("new", betaModel=True),
    model("grok-4", traits=["most_intelligent"]),
    model("glm-5", traits=["default"]),
    model("glm-4", offline=True),
]


@pytest.mark.parametrize(
    ("argument", "operator", "listed", "chosen"),
    [
        ("old", "new", LISTED, "old"),
        ("most_intelligent", "", LISTED, "grok-4"),
        ("", "new", LISTED, "new"),
        ("", "", LISTED, "glm-5"),
        ("", "", LISTED[:4], "grok-4"),
        ("", "", LISTED[:3], "new"),
        ("", "", [model("gone", traits=["default"], offline=True), model("here")], "here"),
        ("", "", [model("blind", traits=["default"], capabilities={}), model("here")], "here"),
    ],
    ids=[
        "argument",
        "trait",
        "operator",
        "default",
        "settled",
        "beta",
        "default-offline",
        "default-cannot",
    ],
)
def test_model_chosen(  # noqa: PLR0917 - the parameters of a table
    ask: Callable[..., Any],
    api: respx.MockRouter,
    models: respx.Route,
    monkeypatch: pytest.MonkeyPatch,
    argument: str,
    operator: str,
    listed: list[dict[str, Any]],
    chosen: str,
) -> None:
    """The caller's model wins, then the operator's, then Venice's default, then the first that fits and is live."""
    monkeypatch.setenv("VENICE_CHAT_MODEL", operator)
    models.respond(json={"data": listed})
    reply = ask(piece("Yes.", "stop"), model=argument)

    assert (chosen, chosen) == (sent(api)["model"], reply["model"])


@pytest.mark.parametrize("wanted", ["glm-6", "glm-4", "e2ee-x", "\u65e5\u672c"], ids=ascii)
def test_an_unfit_model_names_fit_ones(
    ask: Callable[..., Any], api: respx.MockRouter, models: respx.Route, wanted: str
) -> None:
    """A model that is unknown, offline or unable is refused before anything is paid, and fit ones are named."""
    models.respond(json={"data": LISTED})
    with pytest.raises(Exception, match=r"Leave it out, or use: .*glm-5") as failure:
        ask(piece("Yes.", "stop"), model=wanted)

    assert "VeniceError" == type(failure.value).__name__
    assert "glm-4" not in str(failure.value).partition("use:")[2]
    assert "e2ee-x" not in str(failure.value).partition("use:")[2]
    assert [] == [call for call in api.calls if call.request.method == "POST"]


def test_asks_the_local_venice(local_tool: Tool) -> None:
    """Over a real connection, an answer comes with its sources, clean excerpts and cost."""
    reply = json.loads(
        local_tool(question="Where do red foxes live in cities, and what do they eat?")
    )

    assert "https://www.example.org/urban-wildlife/red-foxes" == reply["sources"][0]["url"]
    assert "[1]" in reply["answer"]
    assert "<strong>" not in json.dumps(reply)
    assert 0 < reply["cost_usd"] < 1
    assert "notes" not in reply


def test_reads_a_link_at_the_local_venice(local_tool: Tool) -> None:
    """Over a real connection, the page of a link is answered from, and named."""
    question = "What does https://kitchen.example.com/tea say?"
    reply = json.loads(local_tool(question=question, read_urls=True))

    assert ["https://kitchen.example.com/tea"] == [source["url"] for source in reply["sources"]]
    assert "tea" in reply["answer"]
    assert [READ] == reply["notes"]


def test_a_reset_keeps_what_was_said(venice: LocalVenice, local_tool: Tool) -> None:
    """A real reset in the middle of a stream leaves its beginning."""
    venice.order_fault(fault="reset-midway", path="/chat/completions", bytes=3800)
    reply = json.loads(local_tool(question="Where do red foxes live in cities?"))

    assert CUT in reply["notes"]
    assert reply["answer"]


def test_an_unknown_model_is_refused_with_venices_models(local_tool: Tool) -> None:
    """The local Venice's catalogue gives the names that come nearest."""
    with pytest.raises(Exception, match=r"Leave it out, or use: zai-org-glm-5-2"):
        local_tool(question="?", model="glm-5-2")
