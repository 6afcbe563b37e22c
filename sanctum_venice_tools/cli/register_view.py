"""What `register` shows: the tools of the pack, the plan, and what became of it."""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sanctum_venice_tools.letta.agents import AgentChange
from sanctum_venice_tools.letta.bootstrap import Plan
from sanctum_venice_tools.letta.pruning import Removal
from sanctum_venice_tools.letta.registration import Change
from sanctum_venice_tools.letta.sandbox import SandboxChange
from sanctum_venice_tools.packing.record import Record
from sanctum_venice_tools.terminal import visible

_WORDS = {
    "source_code": "source",
    "json_schema": "schema",
    "description": "schema",
    "return_char_limit": "limit",
    "pip_requirements": "requirements",
    "enable_parallel_execution": "parallel calls",
    "source_type": "language",
}
_COLOURS = {
    "create": "green",
    "update": "yellow",
    "drifted": "magenta",
    "adopt": "magenta",
    "foreign": "red",
}
_REMARKS = {"drifted": "edited on the server", "adopt": "not ours until now"}
_SANDBOX = {
    "speed up": (
        "make the venv of the fast sandbox; every Python tool of this server will run in it, "
        "and finds httpx there but no other package"
    ),
    "slow down": "back to the server's own Python; the venv of the fast sandbox is removed",
    "unchanged": "as wanted",
    "refused": "stays as it is",
}


def print_list(console: Console, records: Sequence[Record]) -> None:
    """Every tool with its toolset, cost, whether a person is asked, and one line."""
    table = Table("tool", "toolset", "cost", "asks", "what it does", box=None, padding=(0, 2, 0, 0))
    for column in table.columns[:4]:
        column.no_wrap = True
    for record in records:
        asks = "yes" if record.needs_approval else ""
        table.add_row(record.name, record.toolset, record.cost, asks, record.summary)
    _print_table(console, table)
    console.print(
        '\ncost: of a call, in US dollars; "account" changes your Venice account. '
        "asks: needs approval."
    )


def print_plan(console: Console, plan: Plan) -> None:
    """What differs from what is wanted, and what will be done about it."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for name, action, colour, about in _rows(plan):
        # Names and reasons are others' words.
        table.add_row(Text(visible(name)), Text(action, colour), Text(visible(about)))
    if table.row_count:
        _print_table(console, table)
    changes_approval = any(
        change.writes and "default_requires_approval" in change.differs for change in plan.tools
    )
    if changes_approval and not plan.agents:
        told = "An agent that has such a tool already keeps its own approvals"
        console.print(f"{told}: --agent changes them too.")
    same = sum(change.action == "unchanged" for change in plan.tools)
    if same and (plan.writes or plan.problems):
        console.print(f"{_count(same, 'tool')} unchanged")


def print_diffs(console: Console, plan: Plan) -> None:
    """How the source on the server differs from ours, for each tool that is to be written."""
    for change in plan.tools:
        if change.there is None or change.action not in ("update", "drifted", "adopt", "foreign"):
            continue
        name = change.record.name
        ours = change.record.source_code.split("\n")
        theirs = (change.there.source_code or "").split("\n")
        for line in difflib.unified_diff(
            theirs, ours, f"{name} on the server", f"{name} of this pack", lineterm=""
        ):
            style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
            console.print(Text(visible(line), style), soft_wrap=True)


def print_result(console: Console, plan: Plan, address: str, *, dry_run: bool) -> None:
    """What was done, in one line; with `dry_run`, what would be."""
    if not plan.writes:
        console.print(f"Nothing to change at {address}", soft_wrap=True)
        return
    written = sum(change.writes and (dry_run or not change.problem) for change in plan.tools)
    removed = sum(not removal.problem for removal in plan.removals)
    changed = sum(agent.writes and not agent.problem for agent in plan.agents)
    parts = [f"{_count(written, 'tool')} {'to write' if dry_run else 'written'}"] if written else []
    parts += [f"{removed} {'to remove' if dry_run else 'removed'}"] if removed else []
    parts += (
        [f"{_count(changed, 'agent')} {'to change' if dry_run else 'changed'}"] if changed else []
    )
    if plan.sandbox and plan.sandbox.writes and not plan.sandbox.problem:
        parts.append("the sandbox to change" if dry_run else "the sandbox changed")
    console.print(f"{', '.join(parts) or 'nothing done'}: {address}", soft_wrap=True)


def _rows(plan: Plan) -> Iterator[tuple[str, str, str, str]]:
    """What is done with each thing: its name, the action, a colour, and more about it."""
    for change in plan.tools:
        if change.action != "unchanged":
            yield change.record.name, change.action, _COLOURS[change.action], _about_tool(change)
    for removal in plan.removals:
        yield removal.name, "remove", "red", _about_removal(removal)
    for agent in plan.agents:
        name = f"agent {_brief(agent.name)}"
        if agent.problem:
            yield name, "refused", "red", agent.problem
        elif agent.writes:
            yield name, "change", "yellow", _about_agent(agent)
    if plan.sandbox and plan.sandbox.action != "unchanged":
        yield "sandbox", plan.sandbox.action, "yellow", _about_sandbox(plan.sandbox)


def _print_table(console: Console, table: Table) -> None:
    """Print a table without the spaces that fill its last column."""
    with console.capture() as drawn:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in drawn.get().splitlines()), err=console.stderr)


def _about_tool(change: Change) -> str:
    approval = f"approval {'on' if change.record.needs_approval else 'off'}"
    words = [
        approval if name == "default_requires_approval" else _WORDS.get(name, name)
        for name in change.differs
    ]
    about = ", ".join(dict.fromkeys(words))
    if change.action == "foreign":
        return change.problem or ""
    if change.action == "create":
        return "asks before each call" if change.record.needs_approval else ""
    remark = _REMARKS.get(change.action)
    return f"{remark}: {about}" if remark else about


def _about_agent(agent: AgentChange) -> str:
    on = [name for name, needed in agent.approvals.items() if needed]
    off = [name for name, needed in agent.approvals.items() if not needed]
    parts: dict[str, Collection[str]] = {
        "attach": agent.attach,
        "detach": agent.detach,
        **_of_rules(agent),
        "approval on": on,
        "approval off": off,
        "set": [name for name in agent.secrets if name not in agent.replaced],
        "replace the agent's own": agent.replaced,
        "lose": agent.lost,
    }
    return _in_words(parts)


def _about_removal(removal: Removal) -> str:
    """Who uses the tool, and what becomes of their rules."""
    told = [f"used by {', '.join(removal.agents)}" if removal.agents else "used by no agent"]
    told += [
        f"agent {_brief(agent.name)}: {_in_words(_of_rules(agent))}" for agent in removal.rules
    ]
    return "; ".join(told)


def _of_rules(agent: AgentChange) -> dict[str, Collection[str]]:
    """What becomes of an agent's rules for its tools."""
    return {
        "no longer run first": agent.no_longer_first,
        "nothing has to follow": agent.no_longer_followed,
        "Letta will not offer": agent.not_offered,
    }


def _in_words(parts: Mapping[str, Collection[str]]) -> str:
    """What is done, each with the names of what it is done to."""
    return "; ".join(f"{what} {', '.join(names)}" for what, names in parts.items() if names)


def _about_sandbox(change: SandboxChange) -> str:
    return f"{_SANDBOX[change.action]}{f': {change.problem}' if change.problem else ''}"


def _brief(name: str) -> str:
    """An agent's name where there is little room."""
    return name if len(name) <= 24 else f"{name[:23]}…"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
