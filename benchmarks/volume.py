"""What much at once takes: a long text spoken, and many texts embedded and ranked.

Beside each tool, a program sends the same requests and forgets the replies. The local Venice makes
all that speech and all those vectors meanwhile, which is most of the time. Four minutes.
"""

import json
import sys
from pathlib import Path
from typing import Any

# A clone works without being installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.emitted import Workplace, workplace
from benchmarks.measuring import Run, Table, benchmark, progress

CHARACTERS = 100_000
TEXTS = 10_000

# With --quick, so many times less.
QUICK_SHARE = 500

SENTENCE = "The red fox crosses the empty street, and looks back once. "

# How long one call may take, in seconds: the local Venice is slower than the tools' usual limit.
PATIENCE = {"VENICE_TOOL_SECONDS": "900"}


@benchmark(__file__, __doc__)
def main(*, quick: bool) -> list[Table]:
    """Call each tool with much, and then send its requests alone."""
    share = QUICK_SHARE if quick else 1
    text = _long_text(CHARACTERS // share)
    texts = _texts(TEXTS // share)
    query = {"query": "animals of the city"}
    with workplace() as place:
        cases: dict[str, tuple[str, dict[str, Any]]] = {
            f"speech, {len(text):,} characters": ("venice_speak", {"text": text}),
            f"{len(texts):,} texts embedded": ("venice_embed_texts", {"texts": texts}),
            f"{len(texts):,} texts ranked": ("venice_rank_texts", {**query, "texts": texts}),
            "the same, out of a file": (
                "venice_rank_texts",
                {**query, "file": _file_of(place, texts)},
            ),
        }
        table = _table()
        for what, (name, arguments) in cases.items():
            progress(what)
            _measure(table, place, what, name, arguments)
    return [table]


def _table() -> Table:
    """An empty table."""
    columns = {
        "what": "",
        "tool s": ".2f",
        "bare s": ".2f",
        "tool CPU": ".2f",
        "bare CPU": ".2f",
        "tool MB": ".0f",
        "bare MB": ".0f",
    }
    notes = ["CPU: the seconds in which a processor worked for the program itself"]
    return Table("Much at once, each measured once", columns, notes=notes)


def _measure(
    table: Table, place: Workplace, what: str, name: str, arguments: dict[str, Any]
) -> None:
    """Add what a call takes, and its requests alone."""
    tool, requests = place.run_logged(name, arguments, PATIENCE)
    _check(tool)
    bare = place.send_bare(requests)
    table.add(
        what,
        tool.seconds,
        bare.seconds,
        tool.processor_seconds,
        bare.processor_seconds,
        tool.peak_mb,
        bare.peak_mb,
    )


def _check(run: Run) -> None:
    """See to it that all was done: a tool that runs out of time tells what is left."""
    told = " ".join(json.loads(run.output).get("notes", []))
    if "Only" in told:
        raise RuntimeError(f"Not all of it was done: {told}")


def _long_text(characters: int) -> str:
    """A text of sentences, of about so many characters."""
    return SENTENCE * (characters // len(SENTENCE))


def _texts(count: int) -> list[str]:
    """So many different texts of a sentence or two."""
    return [f"{SENTENCE}It was seen {number} times this year." for number in range(count)]


def _file_of(place: Workplace, texts: list[str]) -> str:
    """A stored file of vectors, by its name."""
    reply = json.loads(place.run_tool("venice_embed_texts", {"texts": texts}, PATIENCE).output)
    return Path(reply["file"]).name


if __name__ == "__main__":
    main()
