"""Waiting: for one's turn, and with a line each second that says what for."""

import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sanctum_venice_tools.letta.local.errors import LocalProgramError

Progress = Callable[[str], None]

POLL_SECONDS = 0.1
_PROGRESS_SECONDS = 1.0


class Ticker:
    """Passes on what is being done, with the seconds so far.

    It does so at once when that changes, else every second.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._start = time.monotonic()
        self._said: tuple[str, int] | None = None

    @property
    def seconds(self) -> float:
        """How long it takes already."""
        return time.monotonic() - self._start

    def tick(self, doing: str) -> None:
        """Say what is being done, if it is time to."""
        now = (doing, int(self.seconds / _PROGRESS_SECONDS))
        if now != self._said:
            self._said = now
            self._progress(f"{doing} ... {self.seconds:.0f} s")


@contextlib.contextmanager
def alone(lock_path: Path, waiting: str, progress: Progress) -> Iterator[None]:
    """Hold a lock file; the system releases it when the process ends, however it ends."""
    ticker = Ticker(progress)
    try:
        lock_path.parent.mkdir(parents=True, exist_ok=True)
        lock = lock_path.open("w")
    except OSError as error:
        raise LocalProgramError(
            f"The folder {lock_path.parent} cannot be used: {error.strerror}"
        ) from error
    with lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                ticker.tick(waiting)
                time.sleep(POLL_SECONDS)
        yield
