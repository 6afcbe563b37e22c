"""What the commands have in common: options, progress, and errors in one line."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sanctum_venice_tools.terminal import Progress

HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


@contextlib.contextmanager
def one_line_errors(error_class: type[Exception]) -> Iterator[None]:
    """Turn an error that a person can act on into one line and exit status 1."""
    try:
        yield
    except error_class as error:
        raise click.ClickException(str(error)) from error


@contextlib.contextmanager
def shown_progress() -> Iterator["Progress"]:
    """Show progress on standard error."""
    from rich.console import Console  # noqa: PLC0415  # --help does not need it

    from sanctum_venice_tools.terminal import Progress  # noqa: PLC0415  # likewise

    progress = Progress(Console(stderr=True, highlight=False))
    try:
        yield progress
    finally:
        progress.end()
