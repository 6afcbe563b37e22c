"""What the commands that change a Letta server have in common: which it is, and errors."""

import contextlib
from collections.abc import Iterator
from typing import NoReturn

import click
import letta_client

from sanctum_venice_tools.letta.address import is_address
from sanctum_venice_tools.letta.agents import AgentError
from sanctum_venice_tools.letta.connection import explain
from sanctum_venice_tools.network import NetworkSettingsError
from sanctum_venice_tools.terminal import show, visible


def need_server(base_url: str | None) -> str:
    """The Letta server's address, which must be given."""
    if not base_url or not base_url.startswith(("http://", "https://")):
        raise click.UsageError(
            "which server? Set LETTA_BASE_URL, such as http://localhost:8283 or "
            "https://api.letta.com; `sanctum-venice letta start` runs one here"
        )
    if not is_address(base_url):
        raise click.UsageError("LETTA_BASE_URL is no address, such as http://localhost:8283")
    return base_url


@contextlib.contextmanager
def server_errors(address: str) -> Iterator[None]:
    """End the command with one line: 4 for an unusable server, 2 for a mistake of the user's."""
    try:
        yield
    except (AgentError, NetworkSettingsError) as error:
        raise click.UsageError(visible(str(error))) from None
    except letta_client.APIError as error:
        end_unreachable(reason_of(address, error))


def reason_of(address: str, error: letta_client.APIError) -> str:
    """Why a server can't be used, in one line that says what to do."""
    match error:
        case letta_client.APITimeoutError():
            return f"{address} does not answer."
        case letta_client.APIConnectionError():
            return f"there is no Letta server at {address}. Check LETTA_BASE_URL."
        case letta_client.AuthenticationError() | letta_client.PermissionDeniedError():
            return f"{address} refused ({error.status_code}). Check LETTA_API_KEY."
    return f"{address} can't be used: {explain(error)}."


def end_unreachable(reason: str) -> NoReturn:
    """End the command with exit status 4, for a server that can't be used."""
    show(f"Error: {reason}", err=True)
    raise SystemExit(4)
