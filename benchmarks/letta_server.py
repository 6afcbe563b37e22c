"""A local Letta server for a benchmark: its own data, gone when it ends."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from letta_client import Letta

from benchmarks.measuring import progress
from sanctum_venice_tools.letta import local_server


@contextmanager
def running_letta(environment: Mapping[str, str]) -> Iterator[Letta]:
    """A client of a fresh server, whose tools have this environment besides."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "letta"
        try:
            server = local_server.start(
                home, environment=environment, tied_to_caller=True, progress=progress
            )
            # Not tried again by itself: that would be measured as one request.
            with Letta(base_url=server.base_url, timeout=120, max_retries=0) as letta:
                yield letta
        finally:
            local_server.stop(home)
