"""A secret for an agent: it never stands on a command line, where others could see it."""

import os

import click

from sanctum_venice_tools.cli.options import at_terminal

_WHERE_MADE = {"VENICE_API_KEY": "a key is made at https://venice.ai/settings/api"}


def secret_of_operator(name: str) -> str:
    """The value of a secret: from the environment, or else as the operator types it, unseen.

    Raises:
        click.UsageError: The name is none, or there is no value and nobody to ask.
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
    return value
