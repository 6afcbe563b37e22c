"""All checks, in the order in which they are made: some need what an earlier one has found out."""

from collections.abc import Callable, Iterator

import letta_client

from sanctum_venice_tools.letta.connection import explain
from sanctum_venice_tools.letta.doctor import account, agent_keys, server, settings
from sanctum_venice_tools.letta.doctor.outcome import Finding, Outcome, Skip, failure
from sanctum_venice_tools.letta.doctor.patient import Patient
from sanctum_venice_tools.letta.venice import VeniceError
from sanctum_venice_tools.network import NetworkSettingsError

Check = Callable[[Patient], Outcome]

# An error that nobody foresaw may hold a whole page: so much of it is told.
_ERROR_LENGTH = 200

CHECKS: dict[str, Check] = {
    "Venice": account.check_address,
    "key": account.check_key,
    "balance": account.check_balance,
    "agent models": account.check_agent_model,
    "VENICE_TOOL_SECONDS": settings.check_tool_seconds,
    "VENICE_MAX_USD": settings.check_max_usd,
    "VENICE_..._MODEL": settings.check_models,
    "Letta": server.check_letta,
    "tools": server.check_tools,
    "others' tools": server.check_others,
    "a tool's run": server.check_run,
    "media": server.check_folder,
    "attached pictures": server.check_attached,
    "provider": server.check_provider,
    "long conversations": server.check_summaries,
    "agents' keys": agent_keys.check_agent_keys,
}


def examine(patient: Patient) -> Iterator[Finding]:
    """Make every check in turn; each one gives one finding, whatever happens."""
    try:
        for name, check in CHECKS.items():
            outcome = _outcome_of(check, patient)
            yield Finding(
                name, outcome.state, patient.hide(outcome.told), patient.hide(outcome.advice)
            )
    finally:
        if patient.letta:
            patient.letta.close()


def _outcome_of(check: Check, patient: Patient) -> Outcome:
    """What a check says, or what kept it from saying anything."""
    try:
        return check(patient)
    except Skip as reason:
        return Outcome("skipped", str(reason))
    except (VeniceError, NetworkSettingsError) as error:
        return failure(str(error))
    except letta_client.APIError as error:
        return failure(explain(error, patient.secrets), "Look into the log of the Letta server.")
    except Exception as error:  # noqa: BLE001  # a check that breaks is a finding; the others are still made
        told = patient.hide(str(error))[:_ERROR_LENGTH]
        return failure(f"this check broke: {type(error).__name__}: {told}", "Please report it.")
