"""How long it takes to register all tools, and to give them to an agent, as a server fills up.

The server is a local Letta server with 10, 100 and 1,000 tools and agents of others. Beside it in
the same run: the same tools written one after the other without a look at what is there, and a look
at all tools of the server, page by page. Three minutes, most of which go into filling the server;
with --large also 10,000, in a quarter of an hour. A Letta server is installed if none is there.
"""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

# A clone works without being installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import click
from letta_client import Letta

from benchmarks.emitted import workplace
from benchmarks.letta_server import running_letta
from benchmarks.measuring import Table, benchmark, progress, seconds_of
from sanctum_venice_tools.letta.agents import Wishes, apply_agents, find_agents, plan_agents
from sanctum_venice_tools.letta.registration import AT_ONCE, apply, plan
from sanctum_venice_tools.letta.stored import read_tools
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import Record, read_record

COUNTS = (10, 100, 1_000)
LARGE = 10_000
TIMES = 3
QUICK_TOOLS = 3

PROVIDER = "measured-venice"
MODEL = f"{PROVIDER}/zai-org-glm-5-2"
AGENT = "agent-of-others-0"

THEIR_TOOL = '''
def {name}(text: str) -> str:
    """Say it.

    Args:
        text: What to say.
    """
    return text
'''


@benchmark(
    __file__, __doc__, click.Option(["--large"], is_flag=True, help=f"Also with {LARGE:,} of each.")
)
def main(*, quick: bool, large: bool) -> list[Table]:
    """Fill a server step by step, and register the tools at each step."""
    counts = COUNTS[:1] if quick else COUNTS
    if large:
        counts = (*counts, LARGE)
    names = list(tool_files())[:QUICK_TOOLS] if quick else list(tool_files())
    table = _table(len(names))
    with workplace() as place, running_letta({}) as letta:
        _add_provider(letta, place.settings)
        registration = Registration(letta, [read_record(name) for name in names])
        _warm_up(registration)
        filled = 0
        for count in counts:
            progress(f"filling the server with {count:,} tools and agents")
            _fill(letta, filled, count)
            filled = count
            progress(f"registering beside {count:,} tools and agents")
            _measure(table, registration, count, 1 if quick else TIMES)
    return [table]


@dataclass(frozen=True)
class Registration:
    """The tools, as they are put on a server."""

    letta: Letta
    records: Sequence[Record]

    def register(self) -> dict[str, str]:
        """Register all tools as the command does; the ids by name."""
        changes = apply(self.letta, plan(self.letta, self.records, "local"), "local")
        _refuse([change.problem for change in changes])
        return {change.record.name: change.tool_id or "" for change in changes}

    def give(self, ids: dict[str, str]) -> None:
        """Give all tools to one agent as the command does."""
        wishes = Wishes(self.records, lifts_approvals=False, secrets={}, loses_secrets=False)
        agents = find_agents(self.letta, [AGENT], [], with_secrets=False)
        changes = plan_agents(self.letta, agents, wishes)
        done = apply_agents(self.letta, changes, wishes, ids)
        _refuse([change.problem for change in done])

    def write_bare(self) -> None:
        """Write all tools one after the other, whatever is there."""
        for record in self.records:
            self.letta.tools.upsert(**record.fields("local"))

    def list_bare(self) -> None:
        """Look at all tools of the server, 50 at a time."""
        after: dict[str, Any] = {}
        while page := self.letta.tools.list(limit=50, **after).items:
            after = {"after": page[-1].id}

    def remove(self) -> None:
        """Take the tools away again."""
        names = {record.name for record in self.records}
        for name, tool in read_tools(self.letta).items():
            if name in names:
                self.letta.tools.delete(tool.id)


def _warm_up(registration: Registration) -> None:
    """Let a fresh server do each thing once before it counts."""
    registration.register()
    registration.list_bare()
    registration.remove()


def _table(tools: int) -> Table:
    """An empty table, of so many tools."""
    columns = {
        "tools, agents": ",d",
        "first": ".2f",
        "writes alone": ".2f",
        "unchanged": ".2f",
        "list all": ".2f",
        "to an agent": ".2f",
        "again": ".2f",
    }
    notes = [
        "first, unchanged: register all tools, as the command does",
        "writes alone: the same tools one after the other, without a look at what is there",
        "list all: all tools of the server, page by page",
        "to an agent, again: give one agent all tools, as the command does",
    ]
    title = f"{tools} tools on a server with others' tools and agents, in s"
    return Table(title, columns, notes=notes)


def _measure(table: Table, registration: Registration, count: int, times: int) -> None:
    """Add what registering takes on the server as it is."""
    ids: dict[str, str] = {}
    first = []
    bare = []
    given = []
    for _ in range(times):
        bare.append(seconds_of(registration.write_bare))
        registration.remove()
        first.append(seconds_of(lambda: ids.update(registration.register())))
        given.append(seconds_of(partial(registration.give, ids)))
        registration.remove()
    ids = registration.register()
    registration.give(ids)
    unchanged = [seconds_of(registration.register) for _ in range(times)]
    listed = [seconds_of(registration.list_bare) for _ in range(times)]
    again = [seconds_of(partial(registration.give, ids)) for _ in range(times)]
    registration.remove()
    figures = (first, bare, unchanged, listed, given, again)
    table.add(count, *(median(seconds) for seconds in figures))


# --- the others ---


def _add_provider(letta: Letta, settings: dict[str, str]) -> None:
    """Give the server a model: each agent has to name one."""
    body = {
        "name": PROVIDER,
        "provider_type": "openrouter",
        "api_key": settings["VENICE_API_KEY"],
        "base_url": settings["VENICE_BASE_URL"],
    }
    letta.post("/v1/providers/", cast_to=object, body=body)


def _fill(letta: Letta, there: int, count: int) -> None:
    """Have so many tools and agents of others on the server, of which some are there."""
    numbers = range(there, count)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for work in (_add_tool, _add_agent):
            for done, _ in enumerate(pool.map(partial(work, letta), numbers), there + 1):
                if done % 500 == 0:
                    progress(f"{work.__name__.removeprefix('_add_')} {done:,} of {count:,}")


def _add_tool(letta: Letta, number: int) -> None:
    """Add a tool of somebody's; every tenth has a name that is like ours."""
    kind = "venice" if number % 10 == 0 else "other"
    name = f"their_{kind}_tool_{number}"
    letta.tools.create(source_code=THEIR_TOOL.format(name=name))


def _add_agent(letta: Letta, number: int) -> None:
    """Add an agent of somebody's."""
    letta.agents.create(
        name=f"agent-of-others-{number}", model=MODEL, include_base_tools=False, secrets={}
    )


def _refuse(problems: list[Any]) -> None:
    """End with the first problem, if there is one."""
    told = [problem for problem in problems if problem]
    if told:
        raise click.ClickException(str(told[0]))


if __name__ == "__main__":
    main()
