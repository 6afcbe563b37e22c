"""Whether agents have keys of their own, so that none can spend more than it is allowed."""

from dataclasses import replace

from sanctum_venice_tools.letta.agent_keys.account import AccountKeys, ListedKey
from sanctum_venice_tools.letta.agent_keys.overview import sharing_agents, unlimited_agents
from sanctum_venice_tools.letta.doctor.outcome import Outcome, Skip, few, ok, warning
from sanctum_venice_tools.letta.doctor.patient import Patient
from sanctum_venice_tools.letta.reading import list_agents
from sanctum_venice_tools.letta.secrets import SECRETS, readable_secrets
from sanctum_venice_tools.letta.venice import VeniceError

_SECRET = "VENICE_API_KEY"  # noqa: S105  # it is the name

_ISSUE_KEYS = "Run: sanctum-venice keys issue --agent NAME --usd-per-day 5"


def check_agent_keys(patient: Patient) -> Outcome:
    """Whether each agent has a key of its own, with a limit."""
    agents = list(list_agents(patient.need_letta(), include=[SECRETS]))
    having = [agent for agent in agents if readable_secrets(agent).get(_SECRET)]
    if not having:
        raise Skip(f"no agent has a secret {_SECRET} that this server tells")
    shared = sharing_agents(having, _SECRET)
    keys = _keys_of_account(patient)
    unlimited = unlimited_agents(having, keys or [], _SECRET)

    found = [f"{few(names)} share a key" for names in shared]
    found += [f"no limit holds {few(unlimited)}"] if unlimited else []
    if found:
        return warning("; ".join(found), _ISSUE_KEYS)
    told = f"{len(having)} agents have keys of their own"
    if keys is None:
        return ok(f"{told}; whether these have limits only an ADMIN key can see (VENICE_ADMIN_KEY)")
    return ok(f"{told}, with limits")


def _keys_of_account(patient: Patient) -> list[ListedKey] | None:
    """The keys of the account; None where no key that may see them is at hand."""
    key = patient.admin_key or patient.settings.get("VENICE_API_KEY", "")
    try:
        return AccountKeys(replace(patient.need_venice(), key=key)).list()
    except VeniceError:
        return None
