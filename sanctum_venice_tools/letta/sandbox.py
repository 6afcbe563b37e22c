"""How fast a self-hosted Letta server starts a tool: in its own environment, or in a small venv.

By default Letta starts each call with the server's Python and imports its own client, which takes a
second. In a venv that has httpx and nothing else there is nothing to import. The venv is made once;
pip never runs, for Letta calls pip only for packages that a tool or the sandbox names, and ours
name none on such a server.
"""

import inspect
from dataclasses import dataclass, replace
from typing import Any, Literal

from letta_client import APIError, Letta
from pydantic import BaseModel

from sanctum_venice_tools.letta import sandbox_setup
from sanctum_venice_tools.letta.connection import explain
from sanctum_venice_tools.letta.reading import Id, checked
from sanctum_venice_tools.packing.layout import GUARD

VENV = "venice-venv"

# The one package that the tools need.
_PACKAGE = "httpx"

# Making the venv takes a second on a quiet machine; Letta itself gives a tool 180 s.
_RUN_SECONDS = 180.0

# What a server has that runs tools in its own Python.
_OWN_PYTHON = {"use_venv": False, "venv_name": "venv"}

_CONFIGS = "/v1/sandbox-config"
_SETUP = sandbox_setup.set_up_venice_sandbox.__name__
_SETUP_SCHEMA = {
    "name": _SETUP,
    "description": "Prepare the sandbox.",
    "parameters": {
        "type": "object",
        "properties": {name: {"type": "string"} for name in ("folder", "venv_name", "package")},
        "required": ["folder", "venv_name", "package"],
    },
}
_PROBE = "import httpx\n\n\ndef probe_venice_sandbox() -> str:\n    return httpx.__version__\n"
_PROBE_SCHEMA = {
    "name": "probe_venice_sandbox",
    "description": "Tell the version of httpx.",
    "parameters": {"type": "object", "properties": {}, "required": []},
}


class _SettingsForm(BaseModel):
    sandbox_dir: str
    use_venv: bool = False
    venv_name: str | None = None


class _ConfigForm(BaseModel):
    id: Id
    config: _SettingsForm


class SandboxError(Exception):
    """The sandbox could not be changed; one line for a person."""


@dataclass(frozen=True)
class SandboxChange:
    """What making the sandbox fast, or as it was, means for a server."""

    action: Literal["speed up", "slow down", "unchanged", "refused"]
    config: dict[str, Any]
    """Letta's own record of the sandbox, with its id; empty when it has none yet."""
    problem: str | None = None

    @property
    def writes(self) -> bool:
        """Whether the server has to be changed."""
        return self.action in ("speed up", "slow down")

    def as_json(self) -> dict[str, Any]:
        """For a script to read."""
        return {"action": self.action, "problem": self.problem}


def plan_sandbox(letta: Letta, *, fast: bool) -> SandboxChange:
    """Compare the sandbox of tools with what is wanted; nothing is written.

    Whether tools run in a venv that should be there is tried: somebody may have removed it.
    """
    address = f"{_CONFIGS}/?sandbox_type=local"
    configs = checked(
        "list of sandboxes", list[_ConfigForm], lambda: letta.get(address, cast_to=object)
    )
    config: dict[str, Any] = configs[0] if configs else {}
    settings = config.get("config", {})
    uses_venv = bool(settings.get("use_venv"))
    is_fast = uses_venv and settings.get("venv_name") == VENV
    if fast and is_fast and not _runs_tools(letta):
        return SandboxChange("speed up", config | {"config": settings | _OWN_PYTHON})
    if fast == is_fast:
        return SandboxChange("unchanged", config)
    if not fast:
        return SandboxChange("slow down", config)
    if uses_venv:
        return SandboxChange(
            "refused", config, f"it has a venv of its own, {settings['venv_name']}; put httpx there"
        )
    if settings.get("pip_requirements"):
        return SandboxChange(
            "refused", config, "it lists packages, which pip would install again at each call"
        )
    return SandboxChange("speed up", config)


def apply_sandbox(letta: Letta, change: SandboxChange) -> SandboxChange:
    """Make the sandbox fast, or as it was; if that fails, it is left as it was."""
    if not change.writes:
        return change
    try:
        config = change.config or _first_config(letta)
        if change.action == "speed up":
            _speed_up(letta, config)
        else:
            _write_settings(letta, config, **_OWN_PYTHON)
            _set_up(letta, config, package="")
    except SandboxError as error:
        return replace(change, problem=str(error))
    except APIError as error:
        return replace(change, problem=explain(error))
    return change


def _speed_up(letta: Letta, config: dict[str, Any]) -> None:
    """Prepare the venv, then use it.

    It is prepared by the server's own Python, which has the package, also where one is in use that
    no longer works. A tool that can't run there takes the server back to its own Python.
    """
    _write_settings(letta, config)
    _set_up(letta, config, package=_PACKAGE)
    try:
        _write_settings(letta, config, use_venv=True, venv_name=VENV)
        _run(letta, _PROBE, _PROBE_SCHEMA, {})
    except (SandboxError, APIError):
        _write_settings(letta, config)
        raise


def _runs_tools(letta: Letta) -> bool:
    """Whether a tool that needs the package runs in the sandbox as it is."""
    try:
        _run(letta, _PROBE, _PROBE_SCHEMA, {})
    except SandboxError:
        return False
    return True


def _first_config(letta: Letta) -> dict[str, Any]:
    """Letta's record of the sandbox, which it makes with the first call of a tool."""
    config = checked(
        "sandbox", _ConfigForm, lambda: letta.post(f"{_CONFIGS}/local/default", cast_to=object)
    )
    return dict(config)


def _write_settings(letta: Letta, config: dict[str, Any], **settings: Any) -> None:
    address = f"{_CONFIGS}/{config['id']}"
    body = {"config": config["config"] | settings}
    checked("answer", _ConfigForm, lambda: letta.patch(address, cast_to=object, body=body))


def _set_up(letta: Letta, config: dict[str, Any], package: str) -> None:
    arguments = {"folder": config["config"]["sandbox_dir"], "venv_name": VENV, "package": package}
    source = f"import sys\n\n{GUARD}\n{inspect.getsource(sandbox_setup)}"
    _run(letta, source, _SETUP_SCHEMA, arguments)


def _run(letta: Letta, source: str, schema: dict[str, Any], arguments: dict[str, Any]) -> None:
    """Run a text in the server's sandbox, as it runs tools."""
    body = {"name": schema["name"], "source_code": source, "json_schema": schema, "args": arguments}
    # Not tried again by itself: two that make the venv at once would be in each other's way.
    patient = letta.with_options(timeout=_RUN_SECONDS, max_retries=0)
    result = checked(
        "result", dict[str, Any], lambda: patient.post("/v1/tools/run", cast_to=object, body=body)
    )
    if result.get("status") != "success":
        raise SandboxError(" ".join(str(result.get("tool_return")).split())[:200])
