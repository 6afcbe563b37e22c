"""`register`: put the tools on a Letta server."""

import difflib
import json
import os
from typing import TYPE_CHECKING

import click

from sanctum_venice_tools.cli.options import HELP, JSON, shown_progress

if TYPE_CHECKING:
    from sanctum_venice_tools.letta.registration import Change


@click.command("register", context_settings=HELP)
@click.argument("names", metavar="[NAME ...]", nargs=-1)
@click.option("--base-url", envvar="LETTA_BASE_URL", help="The server's address.  [default: $LETTA_BASE_URL]")
@click.option("--show", metavar="NAME", help="Print the text that Letta would store of a tool, and nothing else.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@JSON
def register_tools(
    names: tuple[str, ...], base_url: str | None, show: str | None, dry_run: bool, as_json: bool
) -> None:
    """Put the tools on a Letta server: all of them, or those named.

    Safe to run again: what is there already is not written. A tool of the same name that is not of this pack is left
    alone. The server's key is read from LETTA_API_KEY, where it needs one.

    \b
    Exit status: 0 all is as wanted, 2 wrong usage, 3 some tools could not be registered,
    4 the server could not be reached or refused.

    \b
    Examples:
      python scripts/register_tools.py
      python scripts/register_tools.py venice_ask_web --dry-run
      python scripts/register_tools.py --show venice_generate_image | less
      LETTA_BASE_URL=https://api.letta.com LETTA_API_KEY=... python scripts/register_tools.py --json
    """  # noqa: D301  # click keeps the lines after \b as they are
    from sanctum_venice_tools.packing.bundle import tool_files  # noqa: PLC0415  # --help does not need it
    from sanctum_venice_tools.packing.record import read_record  # noqa: PLC0415  # likewise

    known = tool_files()
    for name in (*names, *([show] if show else [])):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0)
            raise click.BadParameter(f"there is no tool {name!r}; did you mean {near[0]}?", param_hint="NAME")
    if show:
        click.echo(read_record(show).source_code, nl=False)
        return
    if not base_url:
        raise click.UsageError(
            "which server? Set LETTA_BASE_URL, such as http://localhost:8283 or https://api.letta.com; "
            "`sanctum-venice letta start` runs one here"
        )
    changes = _register(base_url, names or tuple(known), dry_run=dry_run)
    if as_json:
        report = {"server": base_url, "dry_run": dry_run, "tools": [change.as_json() for change in changes]}
        click.echo(json.dumps(report, indent=2))
    else:
        _print_changes(changes, base_url, dry_run=dry_run)
    if any(change.problem for change in changes):
        raise SystemExit(3)


def _register(base_url: str, names: tuple[str, ...], *, dry_run: bool) -> "list[Change]":
    """Register the tools; a server that can't be used ends the command with 4."""
    import letta_client  # noqa: PLC0415  # --help does not need it

    from sanctum_venice_tools.letta import registration  # noqa: PLC0415  # likewise
    from sanctum_venice_tools.packing.record import read_record  # noqa: PLC0415  # likewise

    sandbox = registration.sandbox_of(base_url)
    letta = letta_client.Letta(base_url=base_url, api_key=os.environ.get("LETTA_API_KEY"))
    records = [read_record(name) for name in names]
    try:
        with shown_progress() as progress, progress.counting(f"Registering {len(records)} tools"):
            changes = registration.plan(letta, records, sandbox)
            return changes if dry_run else list(registration.apply(letta, changes, sandbox))
    except letta_client.APIStatusError as error:
        reason = " ".join(str(error).split())[:300]
        click.echo(f"Error: {base_url} refused: {reason} (is LETTA_API_KEY right?)", err=True)
    except letta_client.APIConnectionError:
        click.echo(f"Error: there is no Letta server at {base_url}. Check LETTA_BASE_URL.", err=True)
    raise SystemExit(4)


def _print_changes(changes: "list[Change]", base_url: str, *, dry_run: bool) -> None:
    width = max(len(change.record.name) for change in changes)
    for change in changes:
        more = change.problem or ", ".join(change.differs)
        click.echo(f"{change.record.name:<{width}}  {change.action:<9}  {more}".rstrip())
    count = sum(change.action in ("create", "update") for change in changes)
    verb = "would be written" if dry_run else "written"
    click.echo(f"{len(changes)} tools, {count} {verb} to {base_url}" if count else f"Nothing to change at {base_url}")
