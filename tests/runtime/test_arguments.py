"""Arguments as models send them: whatever the form, a tool gets what is meant, or the agent reads one line."""

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.packing.bundle import bundle
from tests.tools.conftest import refusal

SOURCE = '''"""A tool that gives back its arguments."""

import json
from typing import Any, Literal

from sanctum_venice_tools.runtime.arguments import _read_as_meant


@_read_as_meant
def venice_demo(
    *,
    need: str,
    text: str = "",
    whole: int = 1,
    number: float = 0.5,
    switch: bool = False,
    choice: Literal["webp", "png", "jpeg", "1080p", "4K"] = "webp",
    texts: list[str] | None = None,
    turns: list[dict[str, Any]] | None = None,
    anything: list[Any] | None = None,
    options: dict[str, Any] | None = None,
) -> str:
    """Give back the arguments."""
    return json.dumps(locals())
'''

Demo = Callable[..., Any]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The arguments that the tool got, when called with these."""
    path = tmp_path_factory.mktemp("tools") / "venice_demo.py"
    path.write_text(SOURCE, encoding="utf-8")
    space: dict[str, Any] = {"__name__": "venice_demo"}
    exec(compile(bundle(path), "venice_demo.py", "exec"), space)  # noqa: S102  # what ships is what is tested
    return lambda **arguments: json.loads(space["venice_demo"](**{"need": "x", **arguments}))


def usual(demo: Demo, name: str) -> Any:
    """What the tool gets of an argument that is left out."""
    return demo()[name]


# --- what is meant ---

NUMBERS = st.floats(-(10**9), 10**9).filter(lambda number: "e" not in repr(number))
# What is no word for "left out".
TEXTS = st.text(st.characters(exclude_categories=["Cs"])).filter(
    lambda text: text.strip() not in {"", "null", "None"}
)
JSON = st.recursive(
    st.booleans() | st.integers(-(10**6), 10**6) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXTS, JSON, min_size=1, max_size=3)
RIGHT: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "whole": st.integers(-(10**15), 10**15),
    "number": NUMBERS,
    "switch": st.booleans(),
    "choice": st.sampled_from(["webp", "png", "jpeg", "1080p", "4K"]),
    "texts": st.lists(TEXTS, min_size=1, max_size=4),
    "turns": st.lists(OBJECTS, min_size=1, max_size=3),
    "anything": st.lists(JSON, min_size=1, max_size=4),
    "options": OBJECTS,
}


def disguises(name: str, value: Any) -> list[Any]:
    """The forms in which a model may send a value."""
    if name == "text":
        return [value, [value]]
    if name == "choice":
        return [
            value.upper(),
            value.lower(),
            f" {value} ",
            f'"{value}"',
            value + "s",
            f"{value[0]}-{value[1:]}",
        ]
    if name == "switch":
        words = (
            ["true", "TRUE", " True ", "yes", "on", "1"]
            if value
            else ["false", "FALSE", "no", "off", "0"]
        )
        return [value, int(value), float(value), *words]
    if name == "whole":
        return [value, str(value), f" {value} ", f"{value}.0", f"{value} s"]
    if name == "number":
        return [value, repr(value), f" {value!r} "]
    forms = [
        value,
        json.dumps(value),
        json.dumps(value, ensure_ascii=False, indent=1),
        f" {json.dumps(value)}\n",
    ]
    is_plain = all(isinstance(one, str) for one in value) if isinstance(value, list) else False
    if name == "texts" and is_plain:
        forms.append(repr(value))
    if isinstance(value, list) and len(value) == 1 and not (isinstance(value[0], str | list)):
        forms.append(value[0])
    return forms


@pytest.mark.parametrize("name", RIGHT)
@given(data=st.data())
def test_any_form_means_the_same(demo: Demo, name: str, data: st.DataObject) -> None:
    """A right value, in whatever form a model sends it, is what the tool gets."""
    value = data.draw(RIGHT[name])
    sent = data.draw(st.sampled_from(disguises(name, value)))

    assert value == demo(**{name: sent})[name]


NOTHING = [None, "", " ", "null", "None", "\n"]


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("nothing", NOTHING, ids=repr)
def test_nothing_is_left_out(demo: Demo, name: str, nothing: str | None) -> None:
    """Null, in whatever spelling, leaves out what is optional."""
    assert usual(demo, name) == demo(**{name: nothing})[name]


def test_a_list_of_null_is_left_out(demo: Demo) -> None:
    """Null in place of a text leaves the list out; a text stays, and so does null where anything may stand."""
    assert usual(demo, "texts") == demo(texts=[None])["texts"]
    assert ["null"] == demo(texts=["null"])["texts"]
    assert [None] == demo(anything=[None])["anything"]


@pytest.mark.parametrize("sent", ['{"to": "0x1"}', "{'to': '0x1'}", ' {"to":"0x1"}'])
def test_an_object_may_be_a_text_where_anything_may_stand(demo: Demo, sent: str) -> None:
    """Alone, or as an item of a list; what only begins like one stays a text."""
    assert [{"to": "0x1"}] == demo(anything=sent)["anything"]
    assert [{"to": "0x1"}, "latest"] == demo(anything=[sent, "latest"])["anything"]
    assert [{"to": "0x1"}, 7] == demo(anything=json.dumps([sent, 7]))["anything"]
    assert [f"{sent},"[1:]] == demo(anything=[f"{sent},"[1:]])["anything"]
    assert ["{to}"] == demo(anything=["{to}"])["anything"]


def test_none_is_a_word_in_texts_only(demo: Demo) -> None:
    """A text may be "none"; where a number or a list belongs, that is none."""
    assert "none" == demo(text="none")["text"]
    assert [1, None] == [demo(whole="none")["whole"], demo(texts="none")["texts"]]


def test_nothing_is_left_out_of_options(demo: Demo) -> None:
    """A rare setting that is null is as if it were not there; what is within another stays as it is."""
    sent = {"a": None, "b": "", "c": "null", "d": "None", "e": {"type": ["x", None, ""]}, "f": "\n"}

    assert {"e": {"type": ["x", None, ""]}, "f": "\n"} == demo(options=json.dumps(sent))["options"]


def test_null_in_a_turn_stays(demo: Demo) -> None:
    """A conversation is handed on as it is: an answer without words has null for them."""
    turns: list[dict[str, Any]] = [{"role": "assistant", "content": None, "tool_calls": []}]

    assert turns == demo(turns=turns)["turns"]


@pytest.mark.parametrize(
    "text", ["[1] says so", "[draft] A fox", "a, b", "{not json", "[1] and [2]"]
)
def test_a_text_that_only_looks_like_a_list_is_one_item(demo: Demo, text: str) -> None:
    """A bare text is a list of one, with whatever it begins."""
    assert [text] == demo(texts=text)["texts"]


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (["ä", "b"], '["ä", "b"]'),
        ({"ä": 1}, '{"ä": 1}'),
        ([["x"]], "x"),
        ([], "[]"),
        (5, "5"),
        (True, "true"),
    ],
    ids=repr,
)
def test_a_text_in_another_form_is_json(demo: Demo, sent: Any, text: str) -> None:
    """What is no text arrives as JSON that can be read, but for one text in a list."""
    assert text == demo(text=sent)["text"]


def test_what_is_left_out_ends_no_call(demo: Demo) -> None:
    """What stands after an argument that is null is read as ever."""
    assert 3 == demo(text=None, whole="3")["whole"]


# --- what can't be read ---

UNREADABLE: dict[str, tuple[str, Any, str]] = {
    "a word for a number": ("whole", "many", "'whole' must be a whole number, not 'many'."),
    "a fraction": ("whole", 1.5, "'whole' must be a whole number, not 1.5."),
    "a switch for a number": ("whole", True, "'whole' must be a whole number, not True."),
    "other digits": ("whole", "\u0663", "'whole' must be a whole number, not '\u0663'."),
    "NaN": ("number", math.nan, "'number' must be a number, not nan."),
    "Infinity in text": ("number", "Infinity", "'number' must be a number, not 'Infinity'."),
    "a number for a switch": ("switch", 2, "'switch' must be true or false, not 2."),
    "another choice": (
        "choice",
        "gif",
        "'choice' must be one of webp, png, jpeg, 1080p, 4K, not 'gif'.",
    ),
    "half a list": (
        "texts",
        '["a", "b',
        """'texts' must be a JSON list: ["a", "b"], not '["a", "b'.""",
    ),
    "a text for turns": (
        "turns",
        "hello",
        """'turns' must be a JSON list of objects: [{"a": 1}], not 'hello'.""",
    ),
    "a list for an object": (
        "options",
        [1],
        """'options' must be a JSON object: {"a": 1}, not [1].""",
    ),
    "NaN within": (
        "options",
        {"a": math.nan},
        """'options' must be a JSON object: {"a": 1}, not {'a': nan}.""",
    ),
    "a null item": (
        "texts",
        ["a", None],
        """'texts' must be a JSON list: ["a", "b"], not ['a', None].""",
    ),
    "a long one": ("whole", "x" * 10**7, f"'whole' must be a whole number, not '{'x' * 59}."),
    "control characters": (
        "whole",
        "\x1b[31m\n",
        "'whole' must be a whole number, not '\\x1b[31m\\n'.",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value", "told"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_told_in_one_line(
    demo: Demo, name: str, value: Any, told: str
) -> None:
    """The line names the argument, its form, and what came, of which it shows 60 characters at most."""
    assert f"{told} Correct it." == refusal(demo, **{name: value})


@pytest.mark.parametrize(
    "value", ["[" * 10**6, "{" * 10**6, "[" + "1+" * 10**5 + "1]", "(" * 1000], ids=len
)
def test_nothing_crashes_the_reader(demo: Demo, value: str) -> None:
    """Deep nesting, and long texts that are no JSON, are refused where an object belongs, and one item of a list."""
    assert "must be a JSON object" in refusal(demo, options=value)
    assert "must be a JSON list of objects" in refusal(demo, turns=value)


def test_an_unknown_argument_names_the_known_ones(demo: Demo) -> None:
    """Hosts that check no names hand over anything."""
    assert refusal(demo, tex="a").startswith(
        "There is no argument 'tex'. There are: need, text, whole,"
    )


@pytest.mark.parametrize("sent", [{"need": None}, {}])
def test_a_missing_argument_is_named(demo: Demo, sent: dict[str, Any]) -> None:
    """What is required can't be null."""
    assert "The argument 'need' is missing. Call again with it." == refusal(
        demo, **{"need": None, **sent}
    )


# --- the names in Letta's script ---


@pytest.fixture
def run_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Callable[..., str]]:
    """The tool out of a script such as Letta writes, in which this stands for its arguments."""
    (tmp_path / "venice_demo.py").write_text(SOURCE, encoding="utf-8")
    text = bundle(tmp_path / "venice_demo.py")

    def run(arguments: str) -> Callable[..., str]:
        script = tmp_path / "script.py"
        script.write_text(f"{text}\n__letta_raw_args = {arguments}\nother = {{'tex': tex}}\n")
        monkeypatch.setattr(sys, "argv", [str(script), "an option"])
        space: dict[str, Any] = {"__name__": "venice_demo"}
        exec(compile(text, "venice_demo.py", "exec"), space)  # noqa: S102 - what ships is what is tested
        tool: Callable[..., str] = space["venice_demo"]
        return tool

    return run


@pytest.mark.parametrize("arguments", ["{'need': need}", "{'need': need, 'whole': whole}", "None"])
def test_known_names_in_the_script_are_let_through(
    run_script: Callable[[str], Callable[..., str]], arguments: str
) -> None:
    """A script that names arguments of the tool, or that is not Letta's, runs."""
    assert "x" == json.loads(run_script(arguments)(need="x"))["need"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ("{'tex': tex}", "'tex'"),
        ("{'need': need, 'tex': tex}", "'tex'"),
        ("{'need': need, 'text': open('x', 'w')}", "'text'"),
        ("{'need': need, print(): print()}", "'print(): print()'"),
        ("{'need': need}; print()", "'need'"),
    ],
)
def test_other_names_in_the_script_end_it(
    run_script: Callable[[str], Callable[..., str]], arguments: str, named: str
) -> None:
    """A name that the tool does not know, or that is not as Letta writes it, ends the script before its line."""
    assert f"There is no argument {named}. There are: need" in refusal(run_script, arguments)


# --- closed sets and names ---


@pytest.mark.parametrize(
    ("said", "meant"),
    [("JPG", "jpeg"), ("jpg", "jpeg"), ("1080P", "1080p"), ("full hd", "1080p"), ("4k", "4K")],
)
def test_choices_have_other_names(demo: Demo, said: str, meant: str) -> None:
    """Usual words for a choice are taken for it."""
    assert meant == demo(choice=said)["choice"]


@pytest.mark.parametrize(
    ("said", "sides"),
    [
        ("landscape", (1280, 720)),
        ("portrait", (720, 1280)),
        ("square", (1024, 1024)),
        ("1280 by 720", (1280, 720)),
        ("16/9", (1280, 720)),
    ],
)
def test_shapes_have_words(
    local: Callable[[str], Callable[..., Any]], said: str, sides: tuple[int, int]
) -> None:
    """What people call a shape is made as one."""
    (picture,) = local("venice_generate_image")(prompt="a fox", aspect_ratio=said)["files"]

    assert sides == (picture["width"], picture["height"])


@pytest.fixture
def local(
    venice: LocalVenice,
    monkeypatch: pytest.MonkeyPatch,
    load_tool: Callable[[str], Callable[..., str]],
) -> Callable[[str], Callable[..., Any]]:
    """A tool by name, over a real connection to the local Venice; its reply as an object."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)

    def load(name: str) -> Callable[..., Any]:
        tool = load_tool(name)
        return lambda **arguments: json.loads(tool(**arguments))

    return load


MODELS = {
    "another case": ("ZAI-ORG-GLM-5-2", "zai-org-glm-5-2"),
    "Letta's handle": ("venice/zai-org-glm-5-2", "zai-org-glm-5-2"),
    "another handle": ("openai-proxy/zai-org-glm-5-2", "zai-org-glm-5-2"),
    "another maker's": ("gpt-4o", "zai-org-glm-5-1"),
    "with a feature": (
        "zai-org-glm-5-2:enable_web_search=on",
        "zai-org-glm-5-2:enable_web_search=on",
    ),
}


@pytest.mark.parametrize(("said", "meant"), MODELS.values(), ids=MODELS)
def test_models_have_other_names(
    local: Callable[[str], Callable[..., Any]], said: str, meant: str
) -> None:
    """The model that is meant is used, and the notes say what was taken for what."""
    told = local("venice_chat")(prompt="hi", model=said)

    assert meant == told["model"]
    assert ([] if said == meant else [f"Took the model {meant} for {said!r}."]) == told.get(
        "notes", []
    )


VOICES = {
    "of another model": ("Aurora", "Aurora", "tts-chatterbox-hd"),
    "words": ("female british", "bf_alice", "tts-kokoro"),
    "a sentence": ("a British woman with a voice", "bf_alice", "tts-kokoro"),
}


@pytest.mark.parametrize(("said", "voice", "model"), VOICES.values(), ids=VOICES)
def test_voices_are_found_by_name_or_words(
    local: Callable[[str], Callable[..., Any]], said: str, voice: str, model: str
) -> None:
    """A voice brings its model along, and words find one that fits; the notes say so."""
    told = local("venice_speak")(text="Foxes.", voice=said)

    assert (voice, model) == (told["voice"], told["model"])
    assert any(voice in note for note in told["notes"])
