"""What `keys` shows: what is to be done for each agent, what was done, and all keys."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sanctum_venice_tools.letta.agent_keys.issuing import KeyChange
from sanctum_venice_tools.letta.agent_keys.overview import KeyRow
from sanctum_venice_tools.terminal import visible

DONE = {"issue": "issued", "change": "changed", "replace": "replaced", "unchanged": "unchanged"}


def print_changes(changes: Sequence[KeyChange], *, planned: bool, err: bool = False) -> None:
    """What is to be done for each agent, or what was done."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for change in changes:
        table.add_row(*(Text(visible(cell)) for cell in _cells(change, planned=planned)))
    if changes:
        Console(stderr=err, highlight=False, markup=False).print(table)


def _cells(change: KeyChange, *, planned: bool) -> list[str]:
    """The row of an agent: its name, what is done, the limit, and the rest."""
    if change.problem:
        return [change.name, "failed" if not planned else "can't", "", change.problem]
    limit = str(change.limit) + (f" until {change.expires}" if change.expires else "")
    about = f"...{change.last_six}" if change.last_six else ""
    if change.action == "change" and change.present and planned:
        limit = f"{change.present.limit} -> {limit}"
    if change.old:
        old = ", ".join(f"...{key.last6Chars}" for key in change.old)
        about = f"{about} ({old} {'will be' if planned else 'is'} revoked)".strip()
    if change.lost:
        about = f"{about} (loses the secrets {', '.join(change.lost)})".strip()
    return [change.name, change.action if planned else DONE[change.action], limit, about]


def print_rows(rows: Sequence[KeyRow]) -> None:
    """A table of keys."""
    table = Table(
        "agent", "key", "limit", "spent", "7 days", "last used", "", box=None, padding=(0, 2, 0, 0)
    )
    for column in table.columns[1:6]:
        column.no_wrap = True
    for row in rows:
        key = row.key
        cells = [
            row.agent or key.description,
            f"...{key.last6Chars}",
            str(key.limit),
            f"{key.spent_in_period:.2f}" if key.limit.usd is not None else "",
            f"{key.spent_in_week:.2f}",
            key.lastUsedAt[:10] or "never",
            row.note,
        ]
        table.add_row(*(Text(visible(cell)) for cell in cells))
    Console(highlight=False, markup=False).print(table)
