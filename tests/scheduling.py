"""Which tests run on one worker, one after the other, when `pytest -n` has several."""

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it has types, but does not say so

# What takes long, and is shared: the Letta server, and the scripts that Letta makes of our tools.
TOGETHER = ("tests/server/", "tests/test_emitted.py")


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # as above
    """Gives each worker the next test, but the tests of one place all to one worker.

    These come first: they take longest, and the others then fill up what time is left.
    """

    def _split_scope(self, nodeid: str) -> str:
        """What a test belongs to: the scheduler's word for what goes to one worker as a whole."""
        return next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)
