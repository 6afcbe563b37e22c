"""The environment of the server: its own Python packages, installed from their pins."""

import os
import sys
from pathlib import Path

from sanctum_venice_tools.letta.local import environment
from sanctum_venice_tools.letta.local.errors import LocalProgramError
from sanctum_venice_tools.letta.local.waiting import Progress

ENVIRONMENT = Path(
    os.environ.get("SANCTUM_LETTA_ENVIRONMENT") or ".local/letta-environment"
).absolute()

_REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_PYTHONS = ((3, 11), (3, 14))  # Letta 0.16.8 declares >=3.11,<3.14


def install(progress: Progress) -> Path:
    """Install the server's environment, unless it is there from the same pins; its Python."""
    _check_python(sys.version_info[:2])
    wanted = environment.Environment(ENVIRONMENT, _REQUIREMENTS, "the Letta server")
    environment.install(wanted, progress)
    return wanted.python


def _check_python(version: tuple[int, int]) -> None:
    first, beyond = _PYTHONS
    if not first <= version < beyond:
        fit = f"{first[0]}.{first[1]} to {beyond[0]}.{beyond[1] - 1}"
        raise LocalProgramError(
            f"The Letta server needs Python {fit}, and this is {version[0]}.{version[1]}; "
            "make the environment of sanctum-venice with one of those"
        )
