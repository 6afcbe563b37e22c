"""Agents on a real Letta server that starts tools as operators may choose with `register --fast-sandbox`.

The modules beside this folder have tools started in the server's own environment, as Letta does by itself.
"""

from collections.abc import Iterator

import pytest
from letta_client import Letta

from sanctum_venice_tools.letta.sandbox import apply_sandbox, plan_sandbox


@pytest.fixture(scope="package", autouse=True)
def fast_sandbox(letta: Letta) -> Iterator[None]:
    """Have the server's sandbox fast, and give back what was."""
    made = apply_sandbox(letta, plan_sandbox(letta, fast=True))
    assert made.problem is None
    yield
    apply_sandbox(letta, plan_sandbox(letta, fast=False))
