"""What is well and what is not, from Venice's key to the folder that tools write to; nothing here costs anything."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx
import letta_client
from letta_client import Letta

from sanctum_venice_tools.letta import provider, registration
from sanctum_venice_tools.letta.connection import address_of, explain
from sanctum_venice_tools.letta.venice import KeyVerdict, Venice, VeniceError, drawback, normal_url
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import read_record

State = Literal["ok", "warning", "failure", "skipped"]

Outcome = tuple[State, str, str]
"""How a check ended, what it found, and what to do about that."""

TESTED_LETTA = "0.16.8"

# The tool that is run to see whether tools run: it needs the key, as all do, and is free.
TRIED_TOOL = "venice_find_characters"

# Letta ends a tool after 180 s unless TOOL_SANDBOX_TIMEOUT says otherwise; a tool needs some of it to wind up.
SANDBOX_SECONDS = 180
SAFE_SECONDS = 120

# Which tools ask a person first is for the operator to choose when registering them; tags tell of that too.
_OPERATORS_OWN = {"default_requires_approval", "tags"}

_RUN_SECONDS = 200  # longer than the sandbox itself takes to end a tool
_LOW_USD = 1.0
_SOON = timedelta(days=7)
# The settings that name a model: of which type, and what it must be able to do.
_MODELS = {
    "VENICE_CHAT_MODEL": ("text", "supportsWebSearch"),
    "VENICE_VISION_MODEL": ("text", "supportsVision"),
    "VENICE_IMAGE_MODEL": ("image", ""),
    "VENICE_EDIT_MODEL": ("inpaint", ""),
    "VENICE_SPEECH_MODEL": ("tts", ""),
    "VENICE_TRANSCRIPTION_MODEL": ("asr", ""),
    "VENICE_EMBEDDING_MODEL": ("embedding", ""),
    **{f"VENICE_{kind}_TO_VIDEO_MODEL": ("video", "") for kind in ("TEXT", "IMAGE", "VIDEO", "REFERENCE", "UPSCALE")},
    **{f"VENICE_{kind}_MODEL": ("music", "") for kind in ("MUSIC", "EFFECT", "SPEECH_JOB")},
}
_SETTINGS = (
    "VENICE_API_KEY", "VENICE_BASE_URL", "VENICE_MEDIA_DIR", "VENICE_TOOL_SECONDS", "VENICE_MAX_USD", *_MODELS,
)  # fmt: skip

# Runs in Letta's sandbox and does there what the tools do before they write. It must import nothing of ours.
_TRY_FOLDER = '''
import os
import tempfile
from pathlib import Path


def venice_try_folder() -> str:
    """Say where the media folder is, once it is certain that files can be kept there."""
    folder = Path(os.environ.get("VENICE_MEDIA_DIR") or "venice_media").expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()
    return str(folder)
'''


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    check: str
    state: State
    told: str
    advice: str = ""
    """What to do about it."""


class _Skip(Exception):  # noqa: N818  # it is no error: a check that can't be made is left out
    """Why a check is left out."""


@dataclass
class Patient:
    """What is examined, and what the checks so far have found out about it."""

    settings: Mapping[str, str]
    letta_url: str = ""
    letta_key: str = ""
    provider_name: str = "venice"
    venice: Venice | None = field(default=None, init=False)
    verdict: KeyVerdict | None = field(default=None, init=False)
    letta: Letta | None = field(default=None, init=False)
    stored: dict[str, registration.Change] = field(default_factory=dict, init=False)

    @classmethod
    def of_environment(cls, letta_url: str, provider_name: str) -> "Patient":
        """The one that the environment of this process describes."""
        settings = {name: value for name in _SETTINGS if (value := os.environ.get(name, "").strip())}
        return cls(settings, letta_url, os.environ.get("LETTA_API_KEY", ""), provider_name)

    def need_venice(self) -> Venice:
        """The Venice that answers."""
        if self.venice is None:
            raise _Skip("Venice does not answer")
        return self.venice

    def need_key(self) -> str:
        """The key, unless it is known to be wrong."""
        if self.verdict is None or self.verdict.state == "wrong":
            raise _Skip("there is no good key")
        return self.settings["VENICE_API_KEY"]

    def need_letta(self) -> Letta:
        """The Letta server that answers."""
        if self.letta is None:
            raise _Skip("no Letta server answers")
        return self.letta

    def hide(self, text: str) -> str:
        """A text on one line, without any key."""
        for secret in (self.settings.get("VENICE_API_KEY", ""), self.letta_key):
            text = text.replace(secret, "[key]") if secret else text
        return " ".join(text.split())


def examine(patient: Patient) -> Iterator[Finding]:
    """Make every check in turn; each one gives one finding, whatever happens."""
    try:
        for name, check in CHECKS.items():
            state, told, advice = _outcome(check, patient)
            yield Finding(name, state, patient.hide(told), patient.hide(advice))
    finally:
        if patient.letta:
            patient.letta.close()


def _outcome(check: Callable[[Patient], Outcome], patient: Patient) -> Outcome:
    """What a check says, or what kept it from saying anything."""
    try:
        return check(patient)
    except _Skip as reason:
        return "skipped", str(reason), ""
    except VeniceError as error:
        return "failure", str(error), ""
    except letta_client.APIError as error:
        return "failure", explain(error), "Look into the log of the Letta server."
    except Exception as error:  # noqa: BLE001  # a check that breaks is a finding; the others are still made
        return "failure", f"this check broke: {type(error).__name__}: {str(error)[:200]}", "Please report it."


def _check_address(patient: Patient) -> Outcome:
    given = patient.settings.get("VENICE_BASE_URL", "")
    try:
        base_url = normal_url(given)
    except ValueError as error:
        return "failure", str(error), "Correct VENICE_BASE_URL, or unset it for Venice's own."
    venice = Venice(base_url, patient.settings.get("VENICE_API_KEY", ""))
    count = len(venice.models("text"))
    patient.venice = venice
    if given.rstrip("/") not in ("", base_url):
        return "failure", f"{base_url} answers, but VENICE_BASE_URL is {given}", f"Set VENICE_BASE_URL to {base_url}."
    return "ok", f"{base_url} answers, with {count} text models", ""


def _check_key(patient: Patient) -> Outcome:
    key = patient.settings.get("VENICE_API_KEY", "")
    if not key:
        return "failure", "VENICE_API_KEY is not set", "Make one at https://venice.ai/settings/api, and set it."
    if not (key.isascii() and key.isprintable() and " " not in key):
        return "failure", "VENICE_API_KEY holds characters that no key has", "Copy it anew from where it was made."
    patient.verdict = verdict = patient.need_venice().try_key()
    if verdict.state == "wrong":
        return (
            "failure",
            verdict.told,
            "Make a new one at https://venice.ai/settings/api, and set VENICE_API_KEY to it.",
        )
    if verdict.state == "unclear":
        return "warning", f"whether it is good stays open: {verdict.told}", "Try again later."
    if verdict.account.get("accessPermitted") is False:
        return (
            "failure",
            "Venice knows it, but permits no access",
            "Look at your plan at https://venice.ai/settings/api.",
        )
    ends = verdict.account.get("keyExpiration")
    if ends and datetime.fromisoformat(str(ends)).astimezone(UTC) < datetime.now(UTC) + _SOON:
        return "warning", f"Venice accepts it until {str(ends)[:10]}", "Make a new one in time."
    return "ok", verdict.told, ""


def _check_balance(patient: Patient) -> Outcome:
    patient.need_key()
    venice = patient.need_venice()
    balances = (patient.verdict.account if patient.verdict else {}).get("balances")
    if not balances:
        reply = venice.ask("/billing/balance")
        if not reply.is_success:
            raise _Skip(f"only an ADMIN key may ask for it ({reply.status_code})")
        balances = reply.json().get("balances")
    amounts = {name.upper(): float(amount) for name, amount in (balances or {}).items() if amount is not None}
    told = ", ".join(f"{amount:.2f} {name}" for name, amount in amounts.items())
    if sum(amounts.values()) <= 0:
        return "failure", "there is no credit", "Add some at https://venice.ai/settings/api."
    if amounts.get("USD", 0) < _LOW_USD and amounts.get("DIEM", 0) <= 0:
        return "warning", f"{told} is left", "Add some at https://venice.ai/settings/api."
    return "ok", told, ""


def _check_agent_model(patient: Patient) -> Outcome:
    fit = patient.need_venice().chat_models()
    if not fit:
        return "failure", "no model of this Venice can drive an agent", "Check VENICE_BASE_URL."
    best = fit[0]
    told = f"{len(fit)} can drive an agent, first {best.id} ({best.window:,} tokens)"
    return ("warning", f"{told}, but {best.note}", "Choose another with --model.") if best.note else ("ok", told, "")


def _check_tool_seconds(patient: Patient) -> Outcome:
    given = patient.settings.get("VENICE_TOOL_SECONDS")
    if given is None:
        return "ok", f"not set: tools end by themselves after {SAFE_SECONDS} s", ""
    advice = f"Set it to a whole number of seconds up to {SAFE_SECONDS}, or unset it."
    seconds = int(given) if given.isdecimal() else 0
    if not seconds:
        return "failure", f"{given!r:.40} is no whole number of seconds, so tools take {SAFE_SECONDS}", advice
    if seconds > SAFE_SECONDS:
        told = f"{given} s leaves a tool little of the {SANDBOX_SECONDS} s that Letta gives it"
        return "warning", told, f"{advice[:-1]}; or raise TOOL_SANDBOX_TIMEOUT of the server."
    return "ok", f"{given} s", ""


def _check_max_usd(patient: Patient) -> Outcome:
    given = patient.settings.get("VENICE_MAX_USD")
    if given is None:
        return "ok", "not set: one film or piece of music may cost anything", ""
    if not re.fullmatch(r"\d{1,6}(\.\d+)?", given):
        told = f"{given!r:.40} is no number of dollars, so no film and no music is made"
        return "failure", told, "Set it to a number such as 1.50, or unset it."
    return "ok", f"a film or piece of music may cost {float(given):g} USD", ""


def _check_models(patient: Patient) -> Outcome:
    settings = {name: patient.settings[name] for name in _MODELS if name in patient.settings}
    if not settings:
        return "ok", "none is set: those that Venice recommends are taken", ""
    outcomes = {name: _check_model(patient, name, wanted) for name, wanted in settings.items()}
    for state in ("failure", "warning"):
        if bad := {name: told for name, (found, told) in outcomes.items() if found == state}:
            return state, ". ".join(bad.values()), f"Choose another, or unset: {', '.join(bad)}."
    return "ok", f"{', '.join(settings.values())}: there, and fit", ""


def _check_model(patient: Patient, setting: str, wanted: str) -> tuple[State, str]:
    """Whether a setting names a model that is there and fit, and what is to be said of it."""
    kind, capability = _MODELS[setting]
    for entry in patient.need_venice().models(kind):
        spec = entry.get("model_spec") or {}
        if wanted not in (entry["id"], *spec.get("traits", [])):
            continue
        if spec.get("offline"):
            return "failure", f"{wanted} is offline"
        if capability and not (spec.get("capabilities") or {}).get(capability):
            return "failure", f"{wanted} can't do it ({capability})"
        return ("warning", f"{wanted} is there, but {drawback(entry)}") if drawback(entry) else ("ok", "")
    return "failure", f"Venice has no {kind} model {wanted!r:.80}"


def _check_letta(patient: Patient) -> Outcome:
    if not patient.letta_url:
        raise _Skip("LETTA_BASE_URL is not set")
    try:
        address = address_of(patient.letta_url)
    except httpx.InvalidURL:
        return "failure", "LETTA_BASE_URL is no address", "Correct it, to one such as http://localhost:8283."
    letta = Letta(base_url=patient.letta_url, api_key=patient.letta_key or None, timeout=_RUN_SECONDS, max_retries=0)
    outcome = _greet(letta, address, is_own=registration.sandbox_of(patient.letta_url) == "local")
    if outcome[0] == "failure":
        letta.close()
    else:
        patient.letta = letta
    return outcome


def _greet(letta: Letta, address: str, *, is_own: bool) -> Outcome:
    """Whether a Letta server answers at the address, lets us in, and is of the version that the pack is tested with."""
    try:
        version = getattr(letta.health(), "version", "")  # the client takes a web page for a text, without a version
        letta.get("/v1/models/", cast_to=object)  # the version is told to anybody, this only to those let in
    except letta_client.APIConnectionError:
        return "failure", f"there is no Letta server at {address}", "Start it, or correct LETTA_BASE_URL."
    except (letta_client.AuthenticationError, letta_client.PermissionDeniedError) as error:
        return "failure", f"{address} refuses us: {explain(error)}", "Check LETTA_API_KEY."
    except letta_client.APIError:
        return "failure", f"{address} is no Letta server, or an ill one", "Check LETTA_BASE_URL, and the server's log."
    if not version:
        return "failure", f"{address} is no Letta server", "Correct LETTA_BASE_URL."
    if is_own and version != TESTED_LETTA:
        return "warning", f"Letta {version} at {address}", f"The pack is tested with {TESTED_LETTA}."
    return "ok", f"Letta {version} at {address}", ""


def _check_tools(patient: Patient) -> Outcome:
    letta = patient.need_letta()
    records = [read_record(name) for name in tool_files()]
    changes = registration.plan(letta, records, registration.sandbox_of(patient.letta_url))
    ours = ("update", "drifted", "unchanged")
    patient.stored = {change.record.name: change for change in changes if change.action in ours}
    advice = "Run: python scripts/register_tools.py"
    # The other toolsets are for the operator to choose.
    missing = [
        change.record.name for change in changes if change.action == "create" and change.record.toolset == "core"
    ]
    foreign = [change.record.name for change in changes if change.action == "foreign"]
    stale = [
        f"{change.record.name} ({', '.join(change.differs)})"
        for change in changes
        if change.action in ("update", "drifted") and not _OPERATORS_OWN.issuperset(change.differs)
    ]
    if foreign:
        told = f"not of this pack, though of the same name: {', '.join(foreign)}"
        return "failure", told, "Rename or delete what is there, then register the tools."
    if not patient.stored:
        return "failure", "none of the pack is there", advice
    if stale:
        return "failure", f"not as the pack has them: {', '.join(stale)}", advice
    told = f"{len(patient.stored)} of {len(changes)} are there, as the pack has them"
    return ("warning", f"{told}; not there: {', '.join(missing)}", advice) if missing else ("ok", told, "")


def _check_run(patient: Patient) -> Outcome:
    letta = patient.need_letta()
    patient.need_key()
    if TRIED_TOOL not in patient.stored:
        raise _Skip(f"{TRIED_TOOL} is not on the server")
    tool = letta.tools.retrieve(patient.stored[TRIED_TOOL].tool_id or "")
    result = _run(patient, tool.source_code or "", tool.json_schema or {}, {"query": "philosophy", "limit": 1})
    if result["status"] != "success":
        return "failure", f"{TRIED_TOOL} failed: {_reason(result)}", "Do what the line says; the server's log has more."
    return "ok", f"{TRIED_TOOL} ran in the server's sandbox, and Venice answered it", ""


def _check_folder(patient: Patient) -> Outcome:
    patient.need_letta()
    schema = {"name": "venice_try_folder", "description": ".", "parameters": {"type": "object", "properties": {}}}
    result = _run(patient, _TRY_FOLDER, schema, {})
    if result["status"] != "success":
        advice = "Set VENICE_MEDIA_DIR to a folder that the Letta server's user may write to."
        return "failure", f"the sandbox can't write to it: {_reason(result)}", advice
    return "ok", f"{result['tool_return']}, on the machine of the Letta server", ""


def _check_provider(patient: Patient) -> Outcome:
    letta, venice = patient.need_letta(), patient.need_venice()
    listed: Any = letta.get("/v1/models/", cast_to=object)
    here = [entry for entry in listed if str(entry.get("model_endpoint")).rstrip("/") == venice.base_url]
    named = [entry for entry in here if entry.get("provider_name") == patient.provider_name]
    configure = "Run: python scripts/configure_provider.py"
    try:
        there = provider.plan(letta, patient.provider_name, venice)
    except letta_client.NotFoundError:
        raise _Skip("this server has no page for providers; Letta Cloud's documents tell of none") from None
    if not here:
        if there.action == "create":
            return "warning", "the server does not know Venice, so no agent can think with it", configure
        return "failure", f"{patient.provider_name} is there, and lists no model of {venice.base_url}", configure
    can = {model.id for model in venice.chat_models()}
    fit = [entry["handle"] for entry in named or here if entry.get("model") in can]
    if not fit:
        return "failure", f"of {len(here)} models that it lists none can drive an agent", configure
    if named and "api_key" in there.differs and patient.verdict and patient.verdict.state != "wrong":
        told = f"{patient.provider_name} lists {len(fit)} models, but its key is not VENICE_API_KEY, or is hidden"
        return "warning", told, f"Unless the server encrypts its keys: {configure}"
    return "ok", f"{fit[0].partition('/')[0]} lists {len(fit)} models that can drive an agent", ""


CHECKS: dict[str, Callable[[Patient], Outcome]] = {
    "Venice": _check_address,
    "key": _check_key,
    "balance": _check_balance,
    "agent models": _check_agent_model,
    "VENICE_TOOL_SECONDS": _check_tool_seconds,
    "VENICE_MAX_USD": _check_max_usd,
    "VENICE_..._MODEL": _check_models,
    "Letta": _check_letta,
    "tools": _check_tools,
    "a tool's run": _check_run,
    "media folder": _check_folder,
    "provider": _check_provider,
}


def _run(patient: Patient, source: str, schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Run a text in the server's sandbox, with the operator's settings."""
    body = {
        "name": schema["name"],
        "source_code": source,
        "json_schema": schema,
        "args": arguments,
        "env_vars": dict(patient.settings),
    }
    try:
        return dict(_object(patient.need_letta().post("/v1/tools/run", cast_to=object, body=body)))
    except letta_client.NotFoundError:
        raise _Skip("this server runs no tools on request; Letta Cloud's documents tell of no such thing") from None


def _reason(result: Mapping[str, Any]) -> str:
    return str(result.get("tool_return")).partition(": ")[2] or str(result.get("tool_return"))


def _object(answer: Any) -> dict[str, Any]:
    return dict(answer)
