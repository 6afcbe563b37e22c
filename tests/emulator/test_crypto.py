from typing import Any

import httpx
import pytest

PATH = "/crypto/rpc/base-mainnet"


def request(method: str, *params: Any) -> dict[str, Any]:
    """One request of JSON-RPC."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}


def test_networks_are_public(client: httpx.Client) -> None:
    """Anyone can list the networks."""
    assert "base-mainnet" in client.get("/crypto/rpc/networks").json()["networks"]


def test_one_request(client: httpx.Client) -> None:
    """A method is answered, and headers tell what it cost."""
    reply = client.post(PATH, json=request("eth_chainId"))

    assert reply.json() == {"jsonrpc": "2.0", "id": 1, "result": "0x2105"}
    assert (reply.headers["x-venice-rpc-credits"], reply.headers["x-venice-rpc-cost-usd"]) == (
        "20",
        "0.00001400",
    )


def test_batch(client: httpx.Client) -> None:
    """A batch is answered in its order; an error of JSON-RPC is no error of HTTP."""
    reply = client.post(
        PATH, json=[request("eth_chainId"), request("eth_fly"), request("eth_getBalance")]
    )

    assert [entry.get("error", {}).get("code") for entry in reply.json()] == [None, -32601, -32602]


def test_idempotency(client: httpx.Client) -> None:
    """The same key gets the same answer again, at no cost; with another request it is refused."""
    header = {"Idempotency-Key": "once"}
    first = client.post(PATH, json=request("eth_blockNumber"), headers=header)
    before = client.get("/billing/balance").json()

    again = client.post(PATH, json=request("eth_blockNumber"), headers=header)

    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    assert again.headers["x-request-id"] == first.headers["x-request-id"]
    assert client.get("/billing/balance").json() == before
    assert client.post(PATH, json=request("eth_chainId"), headers=header).status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/crypto/rpc/moon", request("eth_chainId"), {}),
        (PATH, request("eth_newFilter"), {}),
        (PATH, request("eth_subscribe"), {}),
        (PATH, [request("eth_chainId")] * 101, {}),
        (PATH, {"jsonrpc": "2.0"}, {}),
        (PATH, request("eth_chainId"), {"Idempotency-Key": "not allowed"}),
    ],
)
def test_refusals(client: httpx.Client, path: str, body: Any, headers: dict[str, str]) -> None:
    """Unknown networks, filters, subscriptions and too long batches are refused."""
    assert client.post(path, json=body, headers=headers).status_code == 400


def test_responses_are_for_testers(client: httpx.Client) -> None:
    """POST /responses is closed to an ordinary key."""
    assert client.post("/responses", json={"model": "default", "input": "hi"}).status_code == 403
