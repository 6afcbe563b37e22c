"""`--allow-host`: the names by which a server of ours may be called, beside its own.

A page in a browser can be made to reach a server on this machine by a name that points to it, so
each of our servers answers to the names that it knows.
"""

import re

import click

# What a server on the loopback address is called.
OWN_NAMES = ["127.0.0.1", "localhost", "[::1]"]

# letta.example.org; no port, no pattern, no address.
_NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*", re.ASCII | re.IGNORECASE)


def _check(
    _context: click.Context, _option: click.Parameter, names: tuple[str, ...]
) -> tuple[str, ...]:
    """Refuse what no Host header can name."""
    for name in names:
        if not _NAME.fullmatch(name):
            raise click.BadParameter(
                f"{name!r} is no name of a host: write it like letta.example.org, without a port"
            )
    return names


ALLOW_HOST = click.option(
    "--allow-host",
    "allowed_hosts",
    metavar="NAME",
    multiple=True,
    callback=_check,
    help="Answer to this name too; repeatable.",
)
