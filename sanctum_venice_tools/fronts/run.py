"""Run one tool: its emitted text, in a fresh process, as a Letta server would."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sanctum_venice_tools.fronts.skill.call_tool import INTERRUPTED
from sanctum_venice_tools.network import past_proxies
from sanctum_venice_tools.packing.record import Record
from sanctum_venice_tools.runtime.venice import _WHOLE_SECONDS

# What stands above the text. Where click and rich are installed, httpx would load a command line of
# its own, which takes a quarter of a small call's time.
_HEAD = """\
import sys

sys.modules["httpx._main"] = None

"""

# What stands below the text. The arguments come by standard input, where no list of processes shows
# them.
_CALL = """

# --- the call ---

try:
    _outcome = {{"reply": {name}(**json.load(sys.stdin))}}
except VeniceError as error:
    _outcome = {{"refusal": str(error)}}
try:
    _outcome["folder"] = str(_media_path())
except (NameError, VeniceError, OSError, RuntimeError):
    pass  # it keeps no files, or found no place for them
print(json.dumps(_outcome))
"""


class RunError(Exception):
    """A tool that broke, rather than answer or refuse; the message is one line."""


@dataclass(frozen=True)
class Outcome:
    """How a call ended: with a reply, or with a refusal."""

    reply: str = ""
    """JSON, as the tool returns it."""
    refusal: str = ""
    """One line that says what is wrong (arguments, key, or Venice's own reason), and what to do."""
    folder: str = ""
    """Where the tool keeps files, if it keeps any."""


def run_tool(
    record: Record,
    arguments: Mapping[str, Any],
    *,
    settings: Mapping[str, str] | None = None,
    usual_seconds: int | None = None,
) -> Outcome:
    """Call a tool in a process of its own, with this process's environment and folder.

    What it asks of this machine, maybe with a token, goes past the environment's proxies.

    Args:
        record: The tool, with its text.
        arguments: Values by argument, of any JSON type; the tool reads what is meant.
        settings: What is set in the process's environment, beside what is set here.
        usual_seconds: How long the call may take, unless the operator set VENICE_TOOL_SECONDS.

    Raises:
        RunError: The process ended without an outcome.
    """
    name = record.name
    script = _HEAD + record.source_code + _CALL.format(name=name)
    environment = {**os.environ, **past_proxies(), **(settings or {})}
    if usual_seconds:
        seconds = seconds_of_a_call(environment, usual_seconds)
        environment["VENICE_TOOL_SECONDS"] = str(seconds)
    try:
        done = _run_script(f"{name}.py", script, json.dumps(dict(arguments)), environment)
    except OSError as error:
        told = f"{name} could not be run: {error.strerror or error}"
        raise RunError(
            f"{told}. Make room in the folder for temporary files, or name another one in TMPDIR."
        ) from error
    return _outcome(record, done)


def seconds_of_a_call(environment: Mapping[str, str], usual: int) -> int:
    """How long a call may take: VENICE_TOOL_SECONDS, where a tool would heed it."""
    setting = environment.get("VENICE_TOOL_SECONDS", "").strip()
    return int(setting) if _WHOLE_SECONDS.fullmatch(setting) else usual


def _run_script(
    file_name: str, script: str, given: str, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own, which reads what is given."""
    # What was paid for is not lost where the folder can't be taken away.
    with tempfile.TemporaryDirectory(prefix="venice-", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / file_name
        file.write_text(script, encoding="utf-8")
        # -I: what the text imports is never taken from this folder, or from the person's packages.
        return subprocess.run(  # noqa: S603  # our own text, and no shell
            [sys.executable, "-I", str(file)],
            input=given,
            capture_output=True,
            encoding="utf-8",
            check=False,
            env=environment,
        )


def _outcome(record: Record, done: subprocess.CompletedProcess[str]) -> Outcome:
    """What the process printed last; other lines before it are none of ours."""
    last_line = done.stdout.rstrip("\n").rpartition("\n")[2]
    if done.returncode == 0 and last_line:
        return Outcome(**json.loads(last_line))
    reason = (
        done.stderr.rstrip("\n").rpartition("\n")[2] or f"it ended with status {done.returncode}"
    )
    told = f"{record.name} broke: {reason}"
    cost = INTERRUPTED.get(record.cost)
    raise RunError(f"{told}; {cost}" if cost else told)
