"""Which tools a command is about: names, toolsets, or all."""

import difflib
from collections.abc import Sequence

import click

from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import TOOLSETS, Record, read_record, read_toolsets

# The tools of `admin` are chosen one by one.
CHOICES = (*(toolset for toolset in TOOLSETS if toolset != "admin"), "all")

TOOLSET = click.option(
    "--toolset",
    "toolsets",
    type=click.Choice(CHOICES),
    multiple=True,
    help="The tools of a set; repeatable.",
)


def choose(names: Sequence[str], toolsets: Sequence[str]) -> list[Record]:
    """The tools that are meant: those that are named, else those of the toolsets, else `core`."""
    if names and "all" not in names:
        _refuse_toolsets(names)
        return [read_record(name) for name in dict.fromkeys(known(names))]
    sets = set(toolsets) or {"core"}
    if "all" in (*names, *toolsets):
        sets |= set(TOOLSETS) - {"admin"}
    chosen = read_toolsets(sets)
    if not chosen:
        raise click.UsageError(
            f"this pack has no tools in {', '.join(sorted(sets))}; --list shows what it has"
        )
    return chosen


def _refuse_toolsets(names: Sequence[str]) -> None:
    """Refuse the name of a toolset in the place of a tool's."""
    for name in names:
        if name in CHOICES:
            raise click.BadParameter(
                f"{name!r} is a toolset, not a tool: write --toolset {name}", param_hint="NAME"
            )


def known(names: Sequence[str]) -> Sequence[str]:
    """The names, if there are such tools."""
    there = tool_files()
    for name in names:
        if name not in there:
            near = difflib.get_close_matches(name, there, n=1, cutoff=0)
            raise click.BadParameter(
                f"there is no tool {name!r}; did you mean {near[0]}?", param_hint="NAME"
            )
    return names
