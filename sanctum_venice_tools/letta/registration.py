"""Putting the tools on a Letta server: compare first, write only what differs, read it back."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal
from urllib.parse import urlsplit

from letta_client import APIConnectionError, APIError, Letta
from letta_client.types import Tool

from sanctum_venice_tools.letta.connection import explain
from sanctum_venice_tools.letta.reading import ToolForm, checked
from sanctum_venice_tools.letta.stored import (
    declares_packages,
    differences,
    is_ours,
    read_tools,
    wanted_fields,
    was_edited,
)
from sanctum_venice_tools.packing.record import Record, Sandbox

Action = Literal["create", "update", "drifted", "adopt", "unchanged", "foreign"]
WRITTEN: tuple[Action, ...] = ("create", "update", "drifted", "adopt")

NOT_TRIED = "not tried, for the server was gone"

# Which tools ask a person first is for the operator to choose when registering them; tags tell of
# that too.
_OPERATORS_OWN = {"default_requires_approval", "tags"}

# So many writes at a time: a server of one's own answers conversations meanwhile.
AT_ONCE = 4


@dataclass(frozen=True)
class Change:
    """What registering one tool means for a server."""

    record: Record
    action: Action
    """`update`: the pack is another one than that which registered it; `drifted`: it was edited on
    the server; `foreign`: the server has a tool of this name that is not of this pack, which is
    left alone; `adopt`: the same, but it is to be overwritten."""
    differs: tuple[str, ...] = ()
    """The fields, by Letta's names, in which the server's tool is not as the pack has it."""
    there: Tool | None = None
    """The tool as the server had it."""
    tool_id: str | None = None
    problem: str | None = None
    """Why the server did not take it, in one line."""

    @property
    def writes(self) -> bool:
        """Whether the server has to be changed for it."""
        return self.action in WRITTEN

    @property
    def is_stale(self) -> bool:
        """Whether the server's tool differs in more than what is for its operator to choose."""
        return not _OPERATORS_OWN.issuperset(self.differs)

    def as_json(self) -> dict[str, Any]:
        """For a script to read."""
        return {
            "name": self.record.name,
            "action": self.action,
            "differs": list(self.differs),
            "approval": self.record.needs_approval,
            "id": self.tool_id,
            "problem": self.problem,
        }


def sandbox_of(base_url: str) -> Sandbox:
    """How a server runs tools: Letta Cloud installs what each one names, others have it already."""
    host = urlsplit(base_url).hostname or ""
    return "cloud" if host == "letta.com" or host.endswith(".letta.com") else "local"


def sandbox_there(there: Mapping[str, Tool], base_url: str) -> Sandbox:
    """How a server runs tools, as most of those of ours tell that it has: their operator knew it.

    An agent's file that Letta imported by itself brings a few for a cloud to any server.
    """
    ours = [tool for tool in there.values() if is_ours(tool)]
    for_cloud = [tool for tool in ours if declares_packages(tool)]
    return "cloud" if len(for_cloud) > len(ours) / 2 else sandbox_of(base_url)


def command(changes: Sequence[Change], sandbox: Sandbox, base_url: str) -> str:
    """The command that writes these tools, and leaves to their operator what is for them to choose.

    Each tool goes on asking, or not, as it does there, and the sandbox is the one that the tools
    are for.
    """
    words = ["sanctum-venice register", *(change.record.name for change in changes)]
    if approve := _approve(changes):
        words += ["--approve", approve]
    if sandbox != sandbox_of(base_url):
        words += ["--sandbox", sandbox]
    return " ".join(words)


def _approve(changes: Sequence[Change]) -> str:
    """Which tools are to ask a person, as `--approve` takes it; "" for those that cost most."""
    usual = [change.record.name for change in changes if change.record.needs_approval]
    asking = [change.record.name for change in changes if _goes_on_asking(change)]
    if asking == usual:
        return ""
    if not set(usual).issubset(asking):
        return ",".join(asking) or "none"
    return ",".join(["costly", *(name for name in asking if name not in usual)])


def _goes_on_asking(change: Change) -> bool:
    """Whether a tool asks a person before each call; as ever where nobody has chosen that there."""
    asks = bool(change.there and change.there.default_requires_approval)
    if change.there and is_ours(change.there):
        return replace(change.record, approval=asks).needs_approval
    return asks or change.record.needs_approval


def plan(letta: Letta, records: Sequence[Record], sandbox: Sandbox) -> list[Change]:
    """Compare the tools with those on the server; one request, nothing is written."""
    return compare(read_tools(letta), records, sandbox)


def compare(
    there: Mapping[str, Tool], records: Sequence[Record], sandbox: Sandbox, *, adopt: bool = False
) -> list[Change]:
    """Compare the tools with those that a server has.

    Args:
        there: The server's tools by name.
        records: The tools as they should be.
        sandbox: How the server runs tools.
        adopt: Take over tools of the same name that are not ours.
    """
    return [_compare(record, there.get(record.name), sandbox, adopt=adopt) for record in records]


def apply(letta: Letta, changes: Sequence[Change], sandbox: Sandbox) -> list[Change]:
    """Write what is to be created or updated, read it back, and give each change as it ended.

    Nothing is written where nothing differs. What a server that fails half-way did not take, a
    second run writes.
    """
    if not any(change.writes for change in changes):
        return list(changes)
    lost: list[str] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        tried = list(pool.map(partial(_write, letta, sandbox, lost), changes))
    if _is_gone(lost):
        return tried
    try:
        there = read_tools(letta)
    except APIError as error:
        unread = f"written, but reading it back failed: {explain(error)}"
        return [_leave_open(change, unread) for change in tried]
    return [_confirm(change, there.get(change.record.name), sandbox) for change in tried]


def _is_gone(lost: Sequence[str]) -> bool:
    """Whether a server is gone that lost so many requests; fewer may be about those tools alone."""
    return len(lost) >= AT_ONCE


def _write(letta: Letta, sandbox: Sandbox, lost: list[str], change: Change) -> Change:
    """Write one tool. Once the server is gone, none is tried: each would wait for as long."""
    if not change.writes:
        return change
    if _is_gone(lost):
        return replace(change, problem=NOT_TRIED)
    try:
        # Letta's create and update are one call, which resets every field that it is not given: it
        # gets all of them.
        fields = wanted_fields(change.record, change.there, sandbox)
        stored = checked("answer", ToolForm, lambda: letta.tools.upsert(**fields))
    except APIError as error:
        if isinstance(error, APIConnectionError):
            lost.append(change.record.name)
        return replace(change, problem=explain(error))
    return replace(change, tool_id=stored.id)


def _leave_open(change: Change, unread: str) -> Change:
    """A change of which nothing is known but what its own writing told."""
    if not change.writes or change.problem:
        return change
    return replace(change, problem=unread)


def _confirm(change: Change, tool: Tool | None, sandbox: Sandbox) -> Change:
    """A change that was written, in the light of what the server has now."""
    if not change.writes:
        return change
    if tool is None:
        return replace(change, problem=change.problem or "the server took it, but does not have it")
    differs = differences(wanted_fields(change.record, tool, sandbox), tool)
    if not differs:  # a write whose answer was lost has arrived all the same
        return replace(change, tool_id=tool.id, problem=None)
    return replace(
        change, problem=change.problem or f"the server stored another {', '.join(differs)}"
    )


def _compare(record: Record, tool: Tool | None, sandbox: Sandbox, *, adopt: bool) -> Change:
    if tool is None:
        return Change(record, "create")
    wanted = wanted_fields(record, tool, sandbox)
    differs = differences(wanted, tool)
    change = Change(record, "unchanged", differs, tool, tool.id)
    if not is_ours(tool) and adopt:
        return replace(change, action="adopt")
    if not is_ours(tool):
        foreign = "a tool of this name is there that is not ours; --adopt overwrites it"
        return replace(change, action="foreign", problem=foreign)
    if not differs:
        return change
    if was_edited(tool, wanted):
        return replace(change, action="drifted")
    return replace(change, action="update")
