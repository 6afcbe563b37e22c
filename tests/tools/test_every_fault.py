"""Every tool meets every fault that the local Venice can produce, over a real socket; docs/faults.md tells how it ends.

The fault strikes the request for which a tool is called: the paid one, or else the last.
"""

import json
import os
import queue
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest

from sanctum_venice_tools.emulator import faults
from sanctum_venice_tools.emulator.process import LocalVenice, running_venice
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import Record, read_record
from tests.conftest import Clock, compiled, plain_call, space_of
from tests.secrets_search import LOCAL_KEY
from tests.tools.conftest import balance

TABLE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
BEGIN = "<!-- The table is written by `WRITE_FAULTS=1 python -m pytest tests/tools/test_every_fault.py`. -->\n"

# What tests/tools/test_every_reply.py does with each field of each reply is not done again; and a
# budget for errors is none of one request.
ELSEWHERE = {"field", "missing-field", "error-budget"}
# A fault may need settings; those of sizes and times are small, so that all of it takes a minute or
# two.
SETTINGS: dict[str, dict[str, Any]] = {
    "status": {"status": 418},
    "raw": {"content": b"HTTP/1.1 200 OK\r\n\r\n"},
    "bytes": {"bytes": 2_000_000},
    "large-error": {"bytes": 3_000_000},
    "reset-midway": {"bytes": 1},
    "stream-error": {"bytes": 1},
    "no-length-cut": {"bytes": 1},
    "gzip-cut": {"bytes": 12},
    "gzip-bomb": {"bytes": 5_000_000},
    "stall": {"seconds": 5},
    "drip": {"bytes": 1, "seconds": 0.3},
}
# A tool's own limits that are made small, too: each would unpack 64 MB before it refuses a bomb.
# tests/runtime/test_hostile_venice.py meets one with the limit as it ships.
LIMITS: dict[str, dict[str, int]] = {"gzip-bomb": {"_MOST_OF_JSON": 4_000_000}}
# These go on until the time of the call is up.
SLOW = {
    "stall",
    "drip",
    "gzip-empty-blocks",
    "slow-status",
    "slow-headers",
    "slow-chunk-sizes",
    "endless-hints",
}
SLOW |= {"endless-json", "endless-file"}
ALLOWED_SECONDS = 0.7
# Most of them wait, while a fault goes on.
WORKERS = 8
# Each look at the money is a request; no call costs more than a dollar.
CALLS_PER_LOOK = 5
LEAST_USD = 5
# What an agent must read after a request that may have cost something, or changed the account.
CONSEQUENCE = r"charged|venice-\w+\||Venice answered 4|may have been made|venice_list_api_keys"
# What may be asked again, for it is not charged.
NOT_CHARGED = {429, 503}


@dataclass
class Outcome:
    """How a call ended."""

    word: str
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Called:
    """What a call said, whether that is a refusal, and what it sent to Venice."""

    said: str
    sent: Sequence[tuple[str, str]]
    refused: bool


@dataclass
class Place:
    """A local Venice, and its log; one call at a time is made there.

    The line of a request is there once the next one is answered: so the log is measured after one that leaves no line.
    """

    venice: LocalVenice
    log: Path
    stack: ExitStack
    calls: int = 0

    def may_be_poor(self) -> bool:
        """Whether its money may not do for the calls until this is asked again; it is looked up now and then."""
        self.calls += 1
        return self.calls % CALLS_PER_LOOK == 0 and balance(self.venice) < LEAST_USD

    def requests(self, after: int, sent: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        """What was asked of it after a place of its log, once each request that was sent has ended.

        A line is written when its request has ended, which may be after its answer came. The place may be within a line
        that was being written; that is of a request before.
        """
        until = time.monotonic() + 5
        while True:
            time.sleep(0.01)
            # From the place on; within a line, from the next one on.
            with self.log.open("rb") as log:
                log.seek(max(after - 1, 0))
                lines = log.readlines()[1 if after else 0 :]
            asked = [json.loads(line) for line in lines if line.endswith(b"\n")]
            missing = Counter(sent) - Counter(map(kind_of, asked))
            if not missing or time.monotonic() > until:
                return asked


def kind_of(asked: Mapping[str, str]) -> tuple[str, str]:
    """The method and the path of a request, by its line in the log."""
    return asked["method"], asked["path"]


def open_place(folder: Path) -> Place:
    """Start a local Venice."""
    stack = ExitStack()
    log = folder / f"{time.monotonic_ns()}.jsonl"
    venice = stack.enter_context(running_venice(log=log, allow_faults=True, job_seconds=0))
    return Place(venice, log, stack)


class Matrix:
    """All calls, shared out among a few local Venices."""

    def __init__(self, texts: dict[str, str], folder: Path) -> None:
        self.texts = texts
        self.folder = folder
        self.places: queue.Queue[Place] = queue.Queue()
        # Here, for no thread can parse Python 3.11's.
        self.records = {name: read_record(name) for name in tool_files()}
        for number in range(WORKERS):
            part = folder / str(number)
            part.mkdir()
            self.places.put(open_place(part))

    def close(self) -> None:
        """End the local Venices."""
        while not self.places.empty():
            self.places.get().stack.close()

    def run(self) -> dict[tuple[str, str], Outcome]:
        """How each tool ends with each fault."""
        struck = dict.fromkeys(name for name in faults.NAMES if name not in ELSEWHERE)
        # Before there are threads: Python 3.11 may fail to compile in several at once.
        for tool, text in self.texts.items():
            compiled(tool, text)
            import_module(f"tests.tools.test_{tool}")
        with ThreadPoolExecutor(WORKERS) as pool:
            targets = dict(zip(self.texts, pool.map(self.target, self.texts), strict=True))
            # Tool by tool: while some calls wait for a fault to end, others are at work.
            pairs = [(tool, fault) for tool in self.texts for fault in struck]
            outcomes = pool.map(lambda pair: self.strike(pair[0], targets[pair[0]], pair[1]), pairs)
            return dict(zip(pairs, outcomes, strict=True))

    def target(self, tool: str) -> tuple[str, str]:
        """The method and the path of the request for which a tool is called."""
        with self.at_a_place() as place:
            arguments = plain_call(tool, place.venice)
            place.venice.clear_faults()
            start = place.log.stat().st_size
            called = self.call(tool, place, self.new_folder(), arguments, {})
            place.venice.clear_faults()
            asked = [
                kind_of(one) for one in place.requests(start, called.sent) if one["status"] == 200
            ]
        paid = [
            one
            for one in asked
            if one[0] == "POST" and not one[1].endswith(("/quote", "/retrieve", "/complete"))
        ]
        return (paid or asked)[-1]

    def strike(self, tool: str, target: tuple[str, str], fault: str) -> Outcome:
        """Call a tool while Venice has a fault."""
        with self.at_a_place() as place:
            arguments = plain_call(tool, place.venice)
            media = self.new_folder()
            method, path = target
            place.venice.order_fault(
                fault=fault, method=method, path=path, **SETTINGS.get(fault, {})
            )
            start = place.log.stat().st_size
            began = time.monotonic()
            limits = LIMITS.get(fault, {})
            called = self.call(tool, place, media, arguments, limits, is_slow=fault in SLOW)
            seconds = time.monotonic() - began
            place.venice.clear_faults()
            every = place.requests(start, called.sent)
            asked = [one for one in every if kind_of(one) == target]
        outcome = Outcome(word_for(called.said, refused=called.refused, times=len(asked)))
        found = problems_of(
            self.records[tool], fault, called, asked, seconds, media, place.venice.key
        )
        outcome.problems = [f"{tool}, {fault}: {problem}: {called.said[:300]}" for problem in found]
        return outcome

    def call(
        self,
        tool: str,
        place: Place,
        media: Path,
        arguments: dict[str, Any],
        limits: dict[str, int],
        *,
        is_slow: bool = False,
    ) -> "Called":
        """Call a tool's text, as in a process of its own."""
        space = space_of(tool, self.texts)
        space.update(limits)
        # The environment is one for all threads.
        space["_base_url"] = lambda: httpx.URL(place.venice.base_url)
        space["_media_path"] = lambda: media
        if is_slow:
            space["_DEADLINE"] = time.monotonic() + ALLOWED_SECONDS
        else:
            space["time"] = Clock()
        client = space["_client"]()
        base = client.base_url.path.removesuffix("/")
        sent: list[tuple[str, str]] = []
        client.event_hooks["request"].append(
            lambda request: sent.append((request.method, request.url.path.removeprefix(base)))
        )
        try:
            return Called(space[tool](**arguments), sent, refused=False)
        except Exception as error:  # noqa: BLE001  # any that is not ours is found by its name
            return Called(f"{type(error).__name__}: {error}", sent, refused=True)
        finally:
            client.close()

    def new_folder(self) -> Path:
        """An empty media folder."""
        media = self.folder / f"media-{time.monotonic_ns()}"
        media.mkdir()
        return media

    def at_a_place(self) -> "Borrowed":
        """A local Venice that nobody else uses meanwhile, with money left."""
        return Borrowed(self.places)


@dataclass
class Borrowed:
    """A place that is given back."""

    places: "queue.Queue[Place]"
    place: Place | None = None

    def __enter__(self) -> Place:
        place = self.places.get()
        if place.may_be_poor():
            place.stack.close()
            place = open_place(place.log.parent)
        self.place = place
        return place

    def __exit__(self, *_: object) -> None:
        assert self.place
        self.places.put(self.place)


def word_for(said: str, *, refused: bool, times: int) -> str:
    """How a call ended, in a few words."""
    if "The local Venice can't do" in said:
        return "does not apply"
    if not refused:
        return "answered" if times < 2 else "answered at the second try"
    if "charged" in said and "nothing was charged" not in said:
        return "told: may be charged"
    if "nothing was charged" in said:
        return "told: not charged"
    return "refused" if re.search(r"Venice answered \d", said) else "told"


def problems_of(  # noqa: PLR0917  # all that is known of a call
    record: Record,
    fault: str,
    called: Called,
    asked: list[dict[str, Any]],
    seconds: float,
    media: Path,
    key: str,
) -> Iterator[str]:
    """What is wrong with the end of a call."""
    said, refused = called.said, called.refused
    if fault in SLOW and seconds > ALLOWED_SECONDS + 3:
        yield f"it took {seconds:.1f} s"
    if key in said:
        yield "it shows the key"
    if "The local Venice can't do" in said:
        return
    if refused and (not said.startswith("VeniceError: ") or len(said.splitlines()) != 1):
        yield "it is no line of ours"
    if not refused and (len(said) > 8000 or not isinstance(json.loads(said), dict)):
        yield "it is no reply"
    charged = [one for one in asked if one["status"] not in NOT_CHARGED]
    if record.cost != "free" and len(charged) > 1:
        yield f"it was sent {len(charged)} times"
    may_cost = record.cost != "free" and any(one["method"] == "POST" for one in asked)
    if refused and may_cost and not re.search(CONSEQUENCE, said):
        yield "it does not say whether it may be charged"
    left = [path for path in media.rglob("*") if path.is_file() and ".models" not in path.parts]
    if any(path.suffix == ".part" for path in left):
        yield "it left half a file"
    told = [path for path in left if path.name in said or path.parent.name == ".private"]
    if refused and len(left) > len(told):
        yield f"it left {sorted(path.name for path in left)} without a word"


def table(outcomes: dict[tuple[str, str], Outcome], records: dict[str, Record]) -> str:
    """The table: how calls end, and the faults with which they end so."""
    faults_by_end: dict[tuple[str, str], list[str]] = {}
    for fault in dict.fromkeys(fault for _, fault in outcomes):
        free = {
            outcomes[name, fault].word for name, record in records.items() if record.cost == "free"
        }
        paid = {
            outcomes[name, fault].word for name, record in records.items() if record.cost != "free"
        }
        faults_by_end.setdefault(("; ".join(sorted(free)), "; ".join(sorted(paid))), []).append(
            f"`{fault}`"
        )
    rows = [
        f"| {', '.join(struck)} | {free} | {paid} |"
        for (free, paid), struck in faults_by_end.items()
    ]
    head = [
        "| faults | calls that are free | calls that cost something, or change the account |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


@pytest.fixture
def matrix(
    texts: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Matrix]:
    """All tools, and a few local Venices."""
    monkeypatch.setenv("VENICE_API_KEY", LOCAL_KEY)
    running = Matrix(texts, tmp_path)
    yield running
    running.close()


@pytest.mark.slow
def test_every_tool_meets_every_fault(matrix: Matrix) -> None:
    """Each call ends in time, in a reply or one line of ours; nothing is paid twice, and no half file stays."""
    outcomes = matrix.run()
    written = BEGIN + "\n" + table(outcomes, matrix.records)
    before = TABLE.read_text(encoding="utf-8") if TABLE.exists() else BEGIN
    if os.environ.get("WRITE_FAULTS"):
        TABLE.write_text(before.partition(BEGIN)[0] + written, encoding="utf-8")
        before = written

    problems = [problem for outcome in outcomes.values() for problem in outcome.problems]
    assert not problems, "\n".join(problems)
    assert BEGIN + before.partition(BEGIN)[2] == written
