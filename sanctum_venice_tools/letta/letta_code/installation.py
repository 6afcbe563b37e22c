"""A Letta Code of our own version, in a home directory of its own: for the demo and the tests.

Its distribution has the name of the Letta server's, and brings Node along: it must be in an
environment of its own.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from sanctum_venice_tools.letta.letta_code.program import LettaCode
from sanctum_venice_tools.letta.local.environment import Environment, install
from sanctum_venice_tools.letta.local.waiting import Progress

ENVIRONMENT = Environment(
    folder=Path(os.environ.get("SANCTUM_LETTA_CODE") or ".local/letta-code").absolute(),
    requirements=Path(__file__).with_name("requirements.txt"),
    name="Letta Code",
)

# Node keeps what it has compiled of the program there, and starts it in two thirds of the time.
_COMPILED = ENVIRONMENT.folder / "compiled"

# Git asks who commits to an agent's memory.
_GIT = {
    "GIT_AUTHOR_NAME": "Letta Code",
    "GIT_AUTHOR_EMAIL": "letta-code@localhost",
    "GIT_COMMITTER_NAME": "Letta Code",
    "GIT_COMMITTER_EMAIL": "letta-code@localhost",
}


def own_letta_code(
    home: Path, progress: Progress = lambda _: None, *, more: Mapping[str, str] | None = None
) -> LettaCode:
    """Letta Code, installed where it is not yet; it sees nothing of the person's own, nor reports.

    Args:
        home: The directory that it takes for the person's; its agents are there too.
        progress: Gets a line each second while something is going on.
        more: Further variables of its environment.

    Raises:
        LocalProgramError: It could not be installed.
    """
    install(ENVIRONMENT, progress)
    own = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LETTA_LOCAL_BACKEND_DIR": str(home / "backend"),
        "DISABLE_AUTOUPDATER": "1",
        "LETTA_CODE_TELEM": "0",
        "NODE_COMPILE_CACHE": str(_COMPILED),
    }
    program = ENVIRONMENT.folder / "bin" / "letta"
    return LettaCode(str(program), {**own, **_GIT, **(more or {})})
