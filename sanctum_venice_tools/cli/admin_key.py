"""The Venice account of the operator's ADMIN key, which no agent gets."""

import click

from sanctum_venice_tools.cli.secret import key_of_operator
from sanctum_venice_tools.letta.agent_keys.account import AccountKeys
from sanctum_venice_tools.letta.venice import ChoiceError, Venice, normal_url
from sanctum_venice_tools.terminal import visible


def account_of_operator(venice_url: str) -> AccountKeys:
    """The keys of that account; the command ends with one line where there is no key for it."""
    key = key_of_operator("VENICE_ADMIN_KEY") or key_of_operator("VENICE_API_KEY")
    if not key:
        raise click.UsageError(
            "VENICE_ADMIN_KEY is not set; an ADMIN key is made at https://venice.ai/settings/api"
        )
    try:
        return AccountKeys(Venice(normal_url(venice_url), key))
    except ChoiceError as error:
        raise click.UsageError(visible(str(error))) from None
