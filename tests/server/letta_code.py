"""Letta Code for the tests: of its own version, in a home directory of its own, its model the local Venice."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.letta.letta_code.installation import ENVIRONMENT, own_letta_code
from sanctum_venice_tools.letta.letta_code.program import LettaCode

# A model that calls functions, with room for Letta Code's own 20 tools.
MODEL = "openai-compatible/zai-org-glm-5-2"


@dataclass(frozen=True)
class OwnLettaCode:
    """A Letta Code in a home directory of its own, and its Venice."""

    home: Path
    venice: LocalVenice

    @property
    def payload(self) -> Path:
        """The folder of its own programs: Node, and what that runs."""
        (payload,) = ENVIRONMENT.folder.glob("lib/python*/site-packages/letta_code/_payload")
        return payload

    def program(self, **more: str) -> LettaCode:
        """It, with further variables in its environment."""
        # The installed command is found, and uv, whether or not this environment is activated.
        programs = Path(sys.executable).parent
        path = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
        return own_letta_code(self.home, more=path | more)

    def run(self, *words: str, cwd: Path | None = None, **more: str) -> str:
        """What it prints."""
        code = self.program(**more)
        done = subprocess.run(
            code.command(*words),
            cwd=cwd or self.home,
            env=dict(code.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert 0 == done.returncode, done.stdout + done.stderr
        return done.stdout

    def make_agent(self, name: str) -> str:
        """A new agent; its id."""
        made = json.loads(self.run("agents", "create", "--name", name, "--model", MODEL))
        return str(made["id"])


def connect(home: Path, venice: LocalVenice) -> OwnLettaCode:
    """A Letta Code whose models are those of a Venice."""
    code = OwnLettaCode(home, venice)
    code.run("connect", "openai-compatible", "--base-url", venice.base_url, "--api-key", venice.key)
    return code
