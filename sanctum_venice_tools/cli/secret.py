"""Keys and secrets of the operator: none stands on a command line, where others could see it."""

import os

import click

from sanctum_venice_tools.cli.options import at_terminal
from sanctum_venice_tools.letta.header import fits_header

_WHERE_MADE = {"VENICE_API_KEY": "a key is made at https://venice.ai/settings/api"}


def key_of_operator(name: str) -> str:
    """A key that requests carry, from the environment; "" where it is not set.

    Raises:
        click.UsageError: No request can carry it.
    """
    return _sendable(name, os.environ.get(name, "").strip())


def _sendable(name: str, key: str) -> str:
    """The key, which is never shown, if a request can carry it."""
    if not fits_header(key):
        raise click.UsageError(
            f"{name} holds characters that no key has: copy it anew from where it was made"
        )
    return key


def secret_of_operator(name: str) -> str:
    """The value of a secret: from the environment, or else as the operator types it, unseen.

    Raises:
        click.UsageError: The name is none, there is no value and nobody to ask, or it is a key that
            no request can carry.
    """
    if not name.isidentifier():
        told = "give the name alone, such as VENICE_API_KEY"
        raise click.BadParameter(told, param_hint="--secret")

    value = os.environ.get(name, "").strip()
    if not value and at_terminal():
        value = click.prompt(name, hide_input=True, err=True).strip()
    if not value:
        where = f"; {_WHERE_MADE[name]}" if name in _WHERE_MADE else ""
        raise click.UsageError(f"{name} is not set here{where}")
    return _sendable(name, value) if name in _WHERE_MADE else value
