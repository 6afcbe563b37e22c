"""Checks of a Letta server: that it answers, has the tools, runs them, and thinks with Venice."""

from collections.abc import Mapping, Sequence
from typing import Any

import letta_client
from letta_client import Letta
from letta_client.types import AgentState

from sanctum_venice_tools.letta import provider, registration
from sanctum_venice_tools.letta.address import is_address
from sanctum_venice_tools.letta.connection import Client, address_of, explain
from sanctum_venice_tools.letta.doctor.outcome import Outcome, Skip, failure, few, ok, warning
from sanctum_venice_tools.letta.doctor.patient import Patient
from sanctum_venice_tools.letta.exposed import is_exposed, tools_of_others
from sanctum_venice_tools.letta.header import fits_header
from sanctum_venice_tools.letta.reading import checked
from sanctum_venice_tools.letta.stored import read_tools
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import read_record
from sanctum_venice_tools.runtime.media_server import _media_server
from sanctum_venice_tools.runtime.venice import VeniceError

TESTED_LETTA = "0.16.8"

# The tool that is run to see whether tools run: it needs the key, as all do, and is free.
TRIED_TOOL = "venice_find_characters"

# So many tools of others are named, with so many characters of each name; their authors chose both.
_NAMED_TOOLS = 3
_NAME_LENGTH = 48

_RUN_SECONDS = 200  # longer than the sandbox itself takes to end a tool

_REGISTER = "Run: sanctum-venice register"
_CONFIGURE = "Run: sanctum-venice provider"

# Runs in Letta's sandbox and does there what the tools do before they write. It must import nothing
# of ours.
_TRY_FOLDER = '''
import os
import tempfile
from pathlib import Path


def venice_try_folder() -> str:
    """Say where the media folder is, once it is certain that files can be kept there."""
    named = os.environ.get("VENICE_MEDIA") or os.environ.get("VENICE_MEDIA_DIR")
    folder = Path(named or "venice_media").expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()
    return str(folder)
'''

# Runs there likewise.
_TRY_MEDIA_SERVER = '''
import os

import httpx


def venice_try_media_server() -> str:
    """Say with which status the media server answers whether it would take a file."""
    address = os.environ["VENICE_MEDIA"].strip().rstrip("/")
    token = os.environ.get("VENICE_MEDIA_TOKEN", "").strip() or "none"
    headers = {"Authorization": f"Bearer {token}"}
    return str(httpx.get(f"{address}/room", headers=headers, timeout=20).status_code)
'''

# What the media server says to a tool, and what an operator does about it.
_MEDIA_SERVER_ADVICE = {
    "401": "Set VENICE_MEDIA_TOKEN to the token that the media server has.",
    "400": "Start the media server with --allow-host and the name by which the tools call it.",
    "507": "Make room on the media server, or raise its --quota-gb.",
}

# Runs there likewise, with the address and the key that are to be an agent's secrets.
_TRY_LETTA = '''
import os

import httpx


def venice_try_letta() -> str:
    """Say with which status the Letta server answers a tool that runs on it."""
    address = os.environ["LETTA_BASE_URL"].rstrip("/").removesuffix("/v1")
    key = os.environ.get("LETTA_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return str(httpx.get(f"{address}/v1/runs/", params={"limit": 1}, headers=headers).status_code)
'''


def check_letta(patient: Patient) -> Outcome:
    """Whether a Letta server answers."""
    if not patient.letta_url:
        raise Skip("LETTA_BASE_URL is not set")
    if not is_address(patient.letta_url):
        return failure(
            "LETTA_BASE_URL is no address", "Correct it, to one such as http://localhost:8283."
        )

    if not fits_header(patient.letta_key):
        return failure(
            "LETTA_API_KEY holds characters that no key has", "Copy it anew from where it was made."
        )

    letta = Client(
        base_url=patient.letta_url, api_key=patient.letta_key, timeout=_RUN_SECONDS, max_retries=0
    )
    outcome = _greet(letta, address_of(patient.letta_url), patient)
    if outcome.state == "failure":
        letta.close()
    else:
        patient.letta = letta
    return outcome


def check_tools(patient: Patient) -> Outcome:
    """Whether the server has the tools as the pack has them."""
    letta = patient.need_letta()
    records = [read_record(name) for name in tool_files()]
    there = read_tools(letta)
    sandbox = registration.sandbox_there(there, patient.letta_url)
    changes = registration.compare(there, records, sandbox)
    ours = [change for change in changes if change.action in ("update", "drifted", "unchanged")]
    patient.stored = {change.record.name: change for change in ours}

    if foreign := [change.record.name for change in changes if change.action == "foreign"]:
        told = f"not of this pack, though of the same name: {', '.join(foreign)}"
        return failure(told, "Rename or delete what is there, then register the tools.")
    if not ours:
        return failure("none of the pack is there", _REGISTER)
    if stale := [change for change in ours if change.is_stale]:
        told = f"not as the pack has them: {', '.join(map(_difference, stale))}"
        # Each by its name, for the toolset of a tool need not be one that is registered by itself.
        put_right = registration.command(stale, sandbox, patient.letta_url)
        return failure(told, f"Run: {put_right}")

    told = f"{len(ours)} of {len(changes)} are there, as the pack has them"
    if missing := [change for change in changes if _is_missing(change)]:
        names = ", ".join(change.record.name for change in missing)
        put_right = registration.command(missing, sandbox, patient.letta_url)
        return warning(f"{told}; not there: {names}", f"Run: {put_right}")
    return ok(told)


def check_others(patient: Patient) -> Outcome:
    """Whether a text that an agent sends can run as code in a tool that is not of this pack."""
    others = tools_of_others(patient.need_letta())
    exposed = [tool for tool in others if is_exposed(tool)]
    if not exposed:
        return ok(f"none of {len(others)} declares a number, array or object")

    # A name is anybody's text: repr shows what a terminal would obey, and where the name ends.
    names = [repr(str(tool.name)[:_NAME_LENGTH]) for tool in exposed[:_NAMED_TOOLS]]
    if len(exposed) > _NAMED_TOOLS:
        names.append("...")
    told = (
        f"{len(exposed)} of {len(others)} declare a number, array or object, "
        f"where Letta runs a text that an agent sends as Python: {', '.join(names)}"
    )
    return warning(
        told, "Declare such arguments as strings, or remove the tools; docs/security.md says why."
    )


def check_run(patient: Patient) -> Outcome:
    """Whether the server's sandbox runs a tool, and Venice answers it."""
    letta = patient.need_letta()
    patient.need_key()
    if TRIED_TOOL not in patient.stored:
        raise Skip(f"{TRIED_TOOL} is not on the server")
    tool = letta.tools.retrieve(patient.stored[TRIED_TOOL].tool_id or "")
    result = _run(
        patient, tool.source_code or "", tool.json_schema or {}, {"query": "philosophy", "limit": 1}
    )
    if result["status"] != "success":
        return failure(
            f"{TRIED_TOOL} failed: {_reason(result)}",
            "Do what the line says; the server's log has more.",
        )
    return ok(f"{TRIED_TOOL} ran in the server's sandbox, and Venice answered it")


def check_folder(patient: Patient) -> Outcome:
    """Whether the server's sandbox can keep files."""
    try:
        is_media_server = bool(_media_server())  # as each tool asks
    except VeniceError as error:
        told, _, _ = str(error).partition(". ")
        return failure(told, "Correct it, or set it to a folder.")
    patient.need_letta()
    if is_media_server:
        return _check_media_server(patient)
    result = _run(patient, _TRY_FOLDER, _schema_of("venice_try_folder"), {})
    if result["status"] != "success":
        advice = "Set VENICE_MEDIA to a folder that the Letta server's user may write to."
        return failure(f"the sandbox can't write to it: {_reason(result)}", advice)
    return ok(f"{result['tool_return']}, on the machine of the Letta server")


def _check_media_server(patient: Patient) -> Outcome:
    """Whether a tool in the server's sandbox can put files on the media server."""
    result = _run(patient, _TRY_MEDIA_SERVER, _schema_of("venice_try_media_server"), {})
    if result["status"] != "success":
        told = f"the sandbox does not reach the media server at VENICE_MEDIA ({_reason(result)})"
        return failure(told, "Start it (`sanctum-venice media`), or correct VENICE_MEDIA.")
    answer = str(result["tool_return"])
    if answer == "200":
        return ok("the media server at VENICE_MEDIA takes files from the sandbox")
    advice = _MEDIA_SERVER_ADVICE.get(answer, "Look at the media server's own output.")
    return failure(f"the media server at VENICE_MEDIA answers {answer}", advice)


def check_attached(patient: Patient) -> Outcome:
    """Whether a tool in the server's sandbox can read the pictures that a person attached."""
    patient.need_letta()
    settings = {"LETTA_BASE_URL": patient.letta_url, "LETTA_API_KEY": patient.letta_key}
    given = {name: value for name, value in settings.items() if value}
    result = _run(patient, _TRY_LETTA, _schema_of("venice_try_letta"), {}, **given)
    answer = str(result["tool_return"])
    if result["status"] == "success" and answer == "200":
        secrets = "secret" if len(given) == 1 else "secrets"
        pronoun = "it" if len(given) == 1 else "them"
        return ok(f"agents that have the {secrets} {' and '.join(given)} can use {pronoun}")
    reason = answer if result["status"] == "success" else _reason(result)
    told = f"the sandbox does not reach the server at LETTA_BASE_URL ({reason})"
    advice = "Give agents a LETTA_BASE_URL that works where the tools run: --secret LETTA_BASE_URL."
    return warning(told, advice)


def check_provider(patient: Patient) -> Outcome:
    """Whether the server's agents can think with Venice."""
    letta, venice = patient.need_letta(), patient.need_venice()
    listed: Any = letta.get("/v1/models/", cast_to=object)
    here = [entry for entry in listed if _endpoint(entry) == venice.base_url]
    named = [entry for entry in here if entry.get("provider_name") == patient.provider_name]
    try:
        there = provider.plan(letta, patient.provider_name, venice)
    except letta_client.NotFoundError:
        raise Skip(
            "this server has no page for providers; Letta Cloud's documents tell of none"
        ) from None

    if not here and there.action == "create":
        return warning("the server does not know Venice, so no agent can think with it", _CONFIGURE)
    if not here:
        return failure(
            f"{patient.provider_name} is there, and lists no model of {venice.base_url}", _CONFIGURE
        )

    able = {model.id for model in venice.chat_models()}
    fit = [entry["handle"] for entry in named or here if entry.get("model") in able]
    if not fit:
        return failure(f"of {len(here)} models that it lists none can drive an agent", _CONFIGURE)
    told = f"{fit[0].partition('/')[0]} lists {len(fit)} models that can drive an agent"
    if named and there.key_is_hidden:
        doubt = "whether its key is VENICE_API_KEY can't be told"
        return ok(f"{told}; {doubt}, for the server encrypts its keys")
    has_other_key = bool(named) and "api_key" in there.differs
    is_ours_good = patient.verdict is not None and patient.verdict.state != "wrong"
    if has_other_key and is_ours_good:
        return warning(f"{told}, but its key is not VENICE_API_KEY", _CONFIGURE)
    return ok(told)


def _endpoint(model: Mapping[str, Any]) -> str:
    """Where a model that a server lists is called."""
    return str(model.get("model_endpoint")).rstrip("/")


def check_summaries(patient: Patient) -> Outcome:
    """Whether agents that think with Venice are summarised when they outgrow their windows."""
    letta, venice = patient.need_letta(), patient.need_venice()
    agents = provider.agents_at(letta, venice.base_url)
    if not agents:
        raise Skip("no agent thinks with Venice")
    lacking = provider.never_summarised(letta, venice.base_url, agents)
    if lacking:
        names = few([agent.name for agent in lacking])
        told = f"Venice refuses to summarise {names}, so that each turn pays for all that was said"
        return warning(told, _have_summarised(lacking))
    return ok(f"{len(agents)} agents think with Venice, and are summarised")


def _have_summarised(agents: Sequence[AgentState]) -> str:
    """What has agents summarised that are not yet."""
    steps = []
    if older := [agent.name for agent in agents if not provider.heeds_compaction(agent)]:
        why = "of the older types Letta does not read how they are to be summarised"
        steps.append(f"Make {few(older)} anew, as a letta_v1_agent: {why}.")
    if others := [agent for agent in agents if provider.heeds_compaction(agent)]:
        steps.append(f"Run: {provider.summary_update(others)}")
    return " ".join(steps)


def _greet(letta: Letta, address: str, patient: Patient) -> Outcome:
    """Whether a Letta server answers at the address, and lets us in.

    Also whether it is of the version that the pack is tested with.
    """
    try:
        # The client takes a web page for a text, without a version.
        version = getattr(checked("state", Any, letta.health), "version", "")
        # The version is told to anybody, this only to those let in.
        checked("list of models", list[Any], lambda: letta.get("/v1/models/", cast_to=object))
    except letta_client.APIConnectionError:
        return failure(
            f"there is no Letta server at {address}", "Start it, or correct LETTA_BASE_URL."
        )
    except (letta_client.AuthenticationError, letta_client.PermissionDeniedError) as error:
        return failure(
            f"{address} refuses us: {explain(error, patient.secrets)}", "Check LETTA_API_KEY."
        )
    except letta_client.APIError:
        return failure(
            f"{address} is no Letta server, or an ill one",
            "Check LETTA_BASE_URL, and the server's log.",
        )
    if not version:
        return failure(f"{address} is no Letta server", "Correct LETTA_BASE_URL.")
    is_own = registration.sandbox_of(patient.letta_url) == "local"
    if is_own and version != TESTED_LETTA:
        return warning(f"Letta {version} at {address}", f"The pack is tested with {TESTED_LETTA}.")
    return ok(f"Letta {version} at {address}")


def _difference(change: registration.Change) -> str:
    """A tool that is not as the pack has it, with the fields that are others."""
    return f"{change.record.name} ({', '.join(change.differs)})"


def _is_missing(change: registration.Change) -> bool:
    """Whether a tool should be there and is not; other toolsets are for the operator to choose."""
    return change.action == "create" and change.record.toolset == "core"


def _schema_of(name: str) -> dict[str, Any]:
    """The schema of a tool of the doctor's own, without arguments."""
    parameters = {"type": "object", "properties": {}}
    return {"name": name, "description": ".", "parameters": parameters}


def _run(
    patient: Patient,
    source: str,
    schema: Mapping[str, Any],
    arguments: Mapping[str, Any],
    **settings: str,
) -> dict[str, Any]:
    """Run a text in the server's sandbox, with the operator's settings and these."""
    body = {
        "name": schema["name"],
        "source_code": source,
        "json_schema": schema,
        "args": arguments,
        "env_vars": {**patient.settings, **settings},
    }
    try:
        result: Any = patient.need_letta().post("/v1/tools/run", cast_to=object, body=body)
    except letta_client.NotFoundError:
        raise Skip(
            "this server runs no tools on request; Letta Cloud's documents tell of no such thing"
        ) from None
    return dict(result)


def _reason(result: Mapping[str, Any]) -> str:
    """What a tool's error says, without the words that Letta puts before it."""
    told = str(result.get("tool_return"))
    return told.partition(": ")[2] or told
