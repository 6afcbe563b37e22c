"""Long texts in parts: nothing is lost or told twice, whatever the text is, and each part fits its reply."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.conftest import space_of

Space = dict[str, Any]

# What texts of the web and of documents are made of, and what takes more room as JSON than by
# itself.
PIECES = [
    *(
        "# Foxes\n\n",
        "\n## Dens\n",
        "A fox sleeps. ",
        "word ",
        "\n\n",
        "\n",
        "\r\n",
        "\t",
        " ",
        "\u2028",
        "。",
        "狐狸",
    ),
    *(
        '"',
        "\\",
        "\x00",
        "\x1f",
        "\x7f",
        "🦊",
        "é",
        "\ufeff",
        "```\n# no heading\n```\n",
        "| a | b |\n",
        "a" * 700,
    ),
]


@st.composite
def long_texts(draw: st.DrawFn) -> str:
    """Texts of up to a few dozen parts."""
    pieces = draw(st.lists(st.sampled_from(PIECES) | st.text(max_size=20), min_size=1, max_size=12))
    text = "".join(pieces)
    return text * draw(st.integers(1, 1 + 60_000 // (len(text) + 1)))


@pytest.fixture
def space(texts: dict[str, str]) -> Space:
    """The globals of an emitted text that shows long texts."""
    return space_of("venice_read_document", texts)


def as_json(text: str) -> int:
    """How many characters a text takes in a reply."""
    return len(json.dumps(text, ensure_ascii=False))


@given(text=long_texts())
@example(text="")
@example(text='"' * 50_000)
@example(text="\x00" * 50_000)
@example(text="a" * 50_000)
@example(text="\n" * 50_000)
def test_the_parts_are_the_text(space: Space, text: str) -> None:
    """Joined, the parts are the text; none is empty, each takes at most 6,000 characters as JSON."""
    parts = list(space["_cut"](text))

    assert text == "".join(parts)
    assert all(0 < as_json(part) <= 6000 for part in parts)
    assert all(parts)


@given(text=long_texts(), part=st.integers(1, 40))
def test_every_reply_is_short_enough(space: Space, text: str, part: int) -> None:
    """A reply has fewer than 8,000 characters, and shows that part of what its file holds."""
    reply = space["_keep"](Path.cwd(), text, "A text", "txt", part, cost_usd=0.01)
    text = text.lstrip("\ufeff")  # a byte order mark is no part of a text
    assert len(reply) < 8000
    shown = json.loads(reply)
    if not text.strip():
        assert "no text" in shown["notes"][0]
        return
    file = Path(shown["file"])
    parts = list(space["_cut"](file.read_bytes().decode()))
    file.unlink()

    assert text.encode() == "".join(parts).encode()
    assert parts[min(part, len(parts)) - 1] == shown["text"]


def sentences(length: int) -> str:
    """A line of words that long, the last of them an end."""
    return ("fox " * length)[: length - 1] + "."


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            f"{sentences(3500)}\n\n{sentences(700)}\n",
            f"## Dens\n\n{sentences(900)}\n\n{sentences(4000)}",
        ),
        (f"{sentences(3500)}\n \n", f"{sentences(500)}\n{sentences(5000)}"),
        (f"{sentences(3500)}\n", f"{sentences(500)} {sentences(5000)}"),
        (f'{sentences(3500)}" ', sentences(5000)),
        ("狐狸睡觉。" * 1199, "狐狸睡觉" * 500),
        ("vixen " * 999, "vixen " * 500),
        ("a" * 5998, "a" * 4000),
    ],
    ids=["heading", "paragraph", "line", "sentence", "Chinese", "word", "letters"],
)
def test_a_part_ends_at_the_best_place(space: Space, before: str, after: str) -> None:
    """A heading begins a part rather than to stand at its end; else a part ends with a paragraph, line, and so on."""
    assert before == next(space["_cut"](before + after))


def test_an_end_in_the_first_half_is_not_taken(space: Space) -> None:
    """Rather than to show little, a part ends at a lesser place."""
    assert 5992 == len(next(space["_cut"](f"Foxes.\n\n# Dens\n\n{'fox ' * 3000}")))


def test_what_fits_is_one_part(space: Space) -> None:
    """A text that fits is not cut, wherever it has headings; one more character is too much."""
    # Two quotes, and a line feed counts as two.
    text = f"{sentences(4000)}\n\n# Dens\n\n".ljust(5994, "a")
    assert 6000 == as_json(text)

    assert [text] == list(space["_cut"](text))
    assert 2 == len(list(space["_cut"](text + "a")))


def test_a_million_characters_are_read_at_once(space: Space) -> None:
    """A part of a very long page is found in good time, and the last one says nothing of a next."""
    parts = list(space["_cut"]("A fox sleeps. " * 75_000))
    first, last = (
        json.loads(space["_show"]("A fox sleeps. " * 75_000, "/media/fox's.md", part))
        for part in (1, len(parts))
    )

    assert len(parts) == first["parts"] == last["part"]
    assert (
        'To read on, free: venice_read_document(document="/media/fox\'s.md", part=2).'
        == first["next"]
    )
    assert "next" not in last


def test_a_part_that_is_not_there_is_told(space: Space) -> None:
    """Beyond the end, the last part is shown, with a note: what was paid is not lost."""
    reply = json.loads(space["_show"]("A fox. " * 1000, "fox.md", 9))

    assert (2, 2, ["There is no part 9: this is the last."]) == (
        reply["part"],
        reply["parts"],
        reply["notes"],
    )


def test_half_a_character_is_replaced(space: Space, tmp_path: Path) -> None:
    """Halves of surrogate pairs, as JSON can carry them, are joined where they belong together, and else replaced."""
    reply = json.loads(space["_keep"](tmp_path, "\ud83e\udd8a and \ud83e", "fox", "md"))

    assert "🦊 and \ufffd" == reply["text"] == Path(reply["file"]).read_text(encoding="utf-8")
