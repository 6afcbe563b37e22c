"""An agent's secrets: Letta replaces all of them at once, so who sets one must know the others."""

from collections.abc import Mapping
from typing import Any

from letta_client.types import AgentState

# What Letta leaves out of an agent unless it is asked for.
SECRETS: Any = "agent.secrets"

# What Letta 0.16.8 gives instead of a value that it could not or would not decrypt.
_HIDDEN = "<encrypted>"


class SecretsError(Exception):
    """Why an agent's secrets can't be set; one line that says what to do."""


def readable_secrets(agent: AgentState) -> dict[str, str]:
    """The secrets whose values the server tells; an empty one counts if it is kept encrypted."""
    known = [secret for secret in agent.secrets or [] if secret.value != _HIDDEN]
    return {secret.key: secret.value for secret in known if secret.value or secret.value_enc}


def lacking_secrets(agent: AgentState, wanted: Mapping[str, str]) -> list[str]:
    """The names of the secrets that an agent lacks, or has with another value.

    Where a server hides the values, the name must do.
    """
    named = {secret.key for secret in agent.secrets or []}
    readable = readable_secrets(agent)
    return [
        name
        for name, value in wanted.items()
        if name not in named or readable.get(name, value) != value
    ]


def secrets_at_risk(agent: AgentState, new: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the secrets that would be lost by setting others: those that can't be read."""
    known = {*readable_secrets(agent), *new}
    return tuple(secret.key for secret in agent.secrets or [] if secret.key not in known)


def refuse_loss(names: tuple[str, ...]) -> SecretsError:
    """The error that names what would be lost."""
    return SecretsError(
        f"its secrets {', '.join(names)} can't be read and would be lost; "
        "--replace-secrets sets them anyway"
    )


def secrets_after(agent: AgentState, new: Mapping[str, str], *, loses: bool) -> dict[str, str]:
    """All secrets that an agent is to have, when some are set and the others kept.

    Args:
        agent: The agent, read just before: since the plan a person may have thought for long.
        new: Values by name.
        loses: Whether it is done even where others can't be read, and so are lost.

    Raises:
        SecretsError: Others would be lost.
    """
    at_risk = secrets_at_risk(agent, new)
    if at_risk and not loses:
        raise refuse_loss(at_risk)
    return {**readable_secrets(agent), **new}
