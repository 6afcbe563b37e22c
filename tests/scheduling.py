"""Which tests run on one worker, one after the other, when `pytest -n` has several, and which come first."""

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it has types, but does not say so

# What takes long to set up, and which tests share it; the first line that fits a test tells.
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
    "tests/test_emitted.py": "the scripts that Letta makes of our tools",
    "tests/fronts/test_mcp_server.py": "the MCP server",
    "tests/media_server/test_browser.py": "the browser",
}

# It takes longest of all that is alone, and would be the last to end.
LONGEST = "tests/tools/test_every_fault.py"


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # as above
    """Gives each worker the next test, but the tests that share something all to one worker.

    These come first: they take longest, and the others then fill up what time is left.
    """

    def _split_scope(self, nodeid: str) -> str:
        """What a test belongs to: the scheduler's word for what goes to one worker as a whole."""
        return next(
            (shared for place, shared in SHARED.items() if nodeid.startswith(place)), nodeid
        )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On a worker, put the longest test before the others that are alone."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
