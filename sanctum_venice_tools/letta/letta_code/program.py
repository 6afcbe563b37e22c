"""Letta Code's own command, for agents of this machine."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_SECONDS = 60


class LettaCodeError(Exception):
    """Letta Code can't be used as things are; one line that says what to do."""


@dataclass(frozen=True)
class LettaCode:
    """A Letta Code: its program, and the environment that it runs in."""

    program: str = "letta"
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    @property
    def backend_folder(self) -> Path:
        """Where it keeps what belongs to agents of this machine."""
        named = self.environment.get("LETTA_LOCAL_BACKEND_DIR")
        if named:
            return Path(named)
        home = self.environment.get("HOME")
        return (Path(home) if home else Path.home()) / ".letta" / "lc-local-backend"

    def command(self, *words: str) -> list[str]:
        """A command line of it.

        Raises:
            LettaCodeError: There is no such program.
        """
        path = shutil.which(self.program, path=self.environment.get("PATH"))
        if not path:
            raise LettaCodeError(
                f"There is no program {self.program}: pip install letta, or name it by --letta."
            )
        return [path, "--backend", "local", *words]

    def run(self, *words: str) -> str:
        """What it prints.

        Raises:
            LettaCodeError: It is not there, or it refuses.
        """
        called = f"{self.program} {words[0]}"
        try:
            done = subprocess.run(  # noqa: S603  # the program that the operator named, and no shell
                self.command(*words),
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise LettaCodeError(f"{called} did not end within {_SECONDS} s.") from None
        if done.returncode != 0:
            said = " ".join((done.stderr or done.stdout).split())[:300]
            raise LettaCodeError(f"{called} refused: {said}")
        return done.stdout
