"""The address of a Letta server, as people write it."""

import pytest

from sanctum_venice_tools.letta.address import server_url
from sanctum_venice_tools.letta.connection import address_of

SERVER = "http://localhost:8283"


@pytest.mark.parametrize(
    "given", [SERVER, f"{SERVER}/", f"{SERVER}/v1", f"{SERVER}/v1/", f" {SERVER}/v1\n"]
)
def test_the_api_is_no_part_of_the_address(given: str) -> None:
    """With or without /v1 at its end, it is the same server."""
    assert SERVER == server_url(given)


@pytest.mark.parametrize("given", ["", "https://letta.example/team/v12", "https://v1"])
def test_nothing_else_is_left_out(given: str) -> None:
    """What only looks like the end of an API's address stays."""
    assert given == server_url(given)


@pytest.mark.parametrize(
    "given", [SERVER, f"{SERVER}/", "http://me:pass@localhost:8283", "http://me@localhost:8283/"]
)
def test_no_password_is_shown_with_an_address(given: str) -> None:
    """A person reads where the server is, and not who may use it."""
    assert SERVER == address_of(given)
