"""`run`: call one tool from the command line."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import click

from sanctum_venice_tools.cli import HELP
from sanctum_venice_tools.cli.options import ended_as_by_ctrl_c, shown_progress
from sanctum_venice_tools.fronts.run import RunError, run_tool
from sanctum_venice_tools.fronts.skill.call_tool import (
    BROKEN,
    COSTS_IN_WORDS,
    REFUSED,
    UsageError,
    help_of,
    interrupted,
    known_name,
    lost_reply,
    read_arguments,
    written,
)
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import COSTLY, Record, read_record
from sanctum_venice_tools.packing.schema import summary_of, typed_schema_of
from sanctum_venice_tools.terminal import show, visible


class _Tools(click.Group):
    """A command for each tool, made when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's own signature
        """The names of all tools."""
        return list(tool_files())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command that calls a tool; `venice_` may be left out."""
        with _usage_errors(ctx):
            return _command(known_name(cmd_name, list(tool_files())))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The tools with what each does, at the end of --help."""
        with formatter.section("Tools"):
            formatter.write_dl(
                [(name, summary_of(typed_schema_of(name))) for name in self.list_commands(ctx)]
            )


@click.group(
    "run", cls=_Tools, context_settings=HELP, subcommand_metavar="NAME [ARGUMENT=VALUE ...]"
)
def run() -> None:
    """Call one tool, and print its reply: a line of JSON.

    What runs is the text that a Letta server would store, in a fresh process. It takes
    VENICE_API_KEY and its other settings from your environment, and keeps files in
    VENICE_MEDIA_DIR, or in ./venice_media.

    \b
    Exit status: 0 it answered, 1 you said no, 2 wrong usage,
    3 it refused, with one line that says why and what to do,
    4 it broke, or was interrupted: if it may be charged, that is said.

    \b
    Examples:
      sanctum-venice run ask_web question="How do red foxes live in cities?"
      sanctum-venice run generate_image prompt="a fox" aspect_ratio=wide
      sanctum-venice run rank_texts \\
        --args '{"query": "animals", "texts": ["a fox", "a house"]}'
      sanctum-venice run venice_ask_web --help
    """  # noqa: D301  # click keeps the lines after \b as they are


@contextlib.contextmanager
def _usage_errors(ctx: click.Context) -> Iterator[None]:
    """Tell of a call that is written wrongly as click does."""
    try:
        yield
    except UsageError as error:
        raise click.UsageError(str(error), ctx) from error


def _command(name: str) -> click.Command:
    """The command of one tool; its help is made of the schema that a model is shown."""
    schema = typed_schema_of(name)
    record = read_record(name)

    @click.pass_context
    def call(ctx: click.Context, values: tuple[str, ...], args: str | None, yes: bool) -> None:
        """Call the tool, and end with its exit status."""
        with _usage_errors(ctx):
            arguments = read_arguments(schema["parameters"], values, args)
        _ask_first(record, is_answered=yes)
        _end(record, arguments)

    return click.Command(
        name,
        callback=call,
        context_settings=HELP,
        help=help_of(schema, record.cost, asks=record.cost in COSTLY),
        params=[
            click.Argument(["values"], metavar="[ARGUMENT=VALUE ...]", nargs=-1),
            click.Option(
                ["--args"],
                metavar="JSON",
                help="Arguments as a JSON object; - reads it from the input.",
            ),
            click.Option(
                ["--yes"], is_flag=True, hidden=record.cost not in COSTLY, help="Do not ask."
            ),
        ],
    )


def _ask_first(record: Record, *, is_answered: bool) -> None:
    """Ask a person at a terminal before dollars are spent or the account is changed.

    Elsewhere, --yes has to say so.
    """
    if record.cost not in COSTLY or is_answered:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(
            f"{record.name}: {COSTS_IN_WORDS[record.cost]} Add --yes if a person agreed."
        )
    click.confirm(f"{record.name}: {COSTS_IN_WORDS[record.cost]} Go on?", abort=True, err=True)


def _end(record: Record, arguments: dict[str, Any]) -> None:
    """Run the tool; print its reply, or what went wrong, and end with the exit status of that."""
    try:
        with ended_as_by_ctrl_c(), _seconds_shown(record.name):
            outcome = run_tool(record, arguments)
    except RunError as error:
        show(f"Error: {error}", err=True)
        sys.exit(BROKEN)
    except KeyboardInterrupt:
        show(f"Error: {interrupted(record.name, record.cost)}", err=True)
        sys.exit(BROKEN)
    if outcome.refusal:
        show(f"Error: {outcome.refusal}", err=True)
        sys.exit(REFUSED)
    if not written(visible(outcome.reply)):
        written(f"Error: {lost_reply(record.name, record.cost)}", output="stderr")
        sys.exit(BROKEN)


@contextlib.contextmanager
def _seconds_shown(name: str) -> Iterator[None]:
    """Count the seconds on a terminal; a program that reads our errors gets none of that."""
    if not sys.stderr.isatty():
        yield
        return
    with shown_progress() as progress, progress.counting(name):
        yield
