"""Who may call what."""

import httpx
import pytest

from sanctum_venice_tools.emulator.facts import Operation, operations
from sanctum_venice_tools.emulator.process import LocalVenice

OPERATIONS = [
    pytest.param(operation, id=f"{operation.method} {operation.path}")
    for operation in operations().values()
]
NAMED = {
    "{slug}": "alan-watts",
    "{id}": "x",
    "{network}": "ethereum-mainnet",
    "{walletAddress}": "0x" + "a" * 40,
}


def send(venice: LocalVenice, operation: Operation, headers: dict[str, str]) -> httpx.Response:
    """Call an operation without a body."""
    path = operation.path
    for name, value in NAMED.items():
        path = path.replace(name, value)
    return httpx.request(operation.method.upper(), venice.base_url + path, headers=headers)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_key(venice: LocalVenice, operation: Operation) -> None:
    """Without a key, inference offers to be paid, account pages say 401, and public ones answer."""
    reply = send(venice, operation, {})

    if "public" in operation.access or operation.path.endswith("/quote"):
        assert reply.status_code not in {401, 403}
    elif {"BearerAuth", "siwx"} == operation.access:
        assert (reply.status_code, reply.json()["x402Version"]) == (402, 2)
        assert reply.headers["payment-required"]
        assert (
            reply.json()["authOptions"]["apiKey"]["header"] == "Authorization: Bearer YOUR_API_KEY"
        )
    else:
        assert reply.status_code == 401


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer wröng", "bearer nobody"])
@pytest.mark.parametrize("path", ["/characters", "/api_keys", "/billing/balance"])
def test_wrong_key(venice: LocalVenice, path: str, header: str) -> None:
    """A key that is not known gets 401 as a StandardError."""
    reply = httpx.get(venice.base_url + path, headers={b"Authorization": header.encode()})

    assert (reply.status_code, reply.json()) == (401, {"error": "Authentication failed"})


@pytest.mark.parametrize("header", ["", "Bearer", "Basic abc"])
def test_blank_key_is_no_key(venice: LocalVenice, header: str) -> None:
    """A blank key at an inference endpoint looks like none."""
    reply = httpx.post(venice.base_url + "/embeddings", json={}, headers={"Authorization": header})

    assert reply.status_code == 402


@pytest.mark.slow
def test_wallet_pages_refuse_a_key(client: httpx.Client) -> None:
    """A wallet's balance cannot be seen with an API key."""
    assert client.get("/x402/balance/0x" + "a" * 40).status_code == 401


def test_unknown_address(client: httpx.Client) -> None:
    """What is not there is 404, and a wrong method 405, both as JSON."""
    assert client.get("/embeddings/generate").status_code == 404
    assert client.put("/models").json() == {"error": "Method not allowed: PUT /api/v1/models"}


def test_every_reply_can_be_traced(client: httpx.Client) -> None:
    """Each reply has a request id of its own, and says that the connection ends."""
    first, second = client.get("/image/styles"), client.get("/image/styles")

    assert first.headers["cf-ray"] != second.headers["cf-ray"]
    assert first.headers["connection"] == "close"


def test_a_body_over_35_megabytes(venice: LocalVenice) -> None:
    """JSON of more than 35 MB is refused before anything in it is looked at."""
    content = b'{"model": "' + b"x" * (35 * 2**20) + b'"}'
    headers = {"Authorization": f"Bearer {venice.key}", "Content-Type": "application/json"}
    reply = httpx.post(
        f"{venice.base_url}/chat/completions", content=content, headers=headers, timeout=30
    )

    assert 413 == reply.status_code
    assert {
        "code": "PAYLOAD_TOO_LARGE",
        "error": "Request body exceeds the maximum allowed size.",
    } == reply.json()
