"""Which tests run on one worker, one after the other, when `pytest -n` has several, and which come first."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it has types, but does not say so

# What takes long to set up, and which modules share it; the first line that fits a test tells. All
# other modules are on their own.
SHARED = {
    # Letta Code, which the first of them installs.
    "tests/server/test_app_server.py": "Letta Code",
    "tests/server/test_demo_code.py": "Letta Code",
    "tests/server/test_letta_code_provider.py": "Letta Code",
    "tests/server/test_skill.py": "Letta Code",
    # It starts servers of its own, and none of Letta's.
    "tests/server/test_media_cluster.py": "the cluster",
    "tests/server/fast_sandbox/": "the Letta server with the fast sandbox",
    "tests/server/": "the Letta server",
}

# What takes longest begins first: the others fill up what time is left.
LONGEST_FIRST = (
    "the Letta server with the fast sandbox",
    "the Letta server",
    "tests/tools/test_every_fault.py",
    "Letta Code",
    "tests/test_emitted.py",
    "tests/test_benchmarks.py",
    "tests/letta/test_local_server.py",
    "tests/runtime/test_hostile_venice.py",
    "tests/media_server/test_browser.py",
    "tests/fronts/test_mcp_server.py",
    "the cluster",
    "tests/media_server/test_command.py",
    "tests/emulator/test_jobs.py",
    "tests/tools/test_every_tool.py",
)


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # as above
    """Gives each worker the next module, and those that share something all to one worker."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # which would put what has most tests first

    def _split_scope(self, nodeid: str) -> str:
        """What a test belongs to: the scheduler's word for what goes to one worker as a whole."""
        return _group_of(nodeid)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On a worker, put what takes longest before the others."""
    if hasattr(config, "workerinput"):
        items.sort(key=_turn)


def _group_of(nodeid: str) -> str:
    module = nodeid.partition("::")[0]
    return next((shared for place, shared in SHARED.items() if module.startswith(place)), module)


def _turn(item: pytest.Item) -> int:
    group = _group_of(item.nodeid)
    return LONGEST_FIRST.index(group) if group in LONGEST_FIRST else len(LONGEST_FIRST)
