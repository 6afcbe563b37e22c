from typing import Any

import httpx
import pytest

PATH = "/crypto/rpc/base-mainnet"


def request(method: str, *params: Any) -> dict[str, Any]:
    """One request of JSON-RPC."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}


def test_networks_are_public(client: httpx.Client) -> None:
    """Anyone can list the networks."""
    networks = client.get("/crypto/rpc/networks").json()["networks"]

    assert {"base-mainnet", "robinhood-mainnet", "solana-devnet"} <= set(networks)
    assert networks == sorted(networks)


def test_one_request(client: httpx.Client) -> None:
    """A method is answered, and headers tell what it cost."""
    reply = client.post(PATH, json=request("eth_chainId"))

    assert reply.json() == {"jsonrpc": "2.0", "id": 1, "result": "0x2105"}
    assert (reply.headers["x-venice-rpc-credits"], reply.headers["x-venice-rpc-cost-usd"]) == (
        "20",
        "0.00001400",
    )


@pytest.mark.parametrize(
    ("network", "method", "expected", "cost"),
    [
        ("robinhood-mainnet", "eth_chainId", "0x1237", "20"),
        ("starknet-mainnet", "starknet_chainId", "0x534e5f4d41494e", "20"),
        ("zksync-mainnet", "eth_chainId", "0x144", "30"),
        ("solana-mainnet", "getHealth", "ok", "30"),
    ],
)
def test_every_family_of_chains(
    client: httpx.Client, network: str, method: str, expected: str, cost: str
) -> None:
    """Each network answers the methods of its own family, zkSync and Solana for half as much again."""
    reply = client.post(f"/crypto/rpc/{network}", json=request(method))

    assert (reply.json()["result"], reply.headers["x-venice-rpc-credits"]) == (expected, cost)


@pytest.mark.parametrize(
    ("network", "method"),
    [
        ("solana-mainnet", "eth_call"),
        ("starknet-mainnet", "eth_chainId"),
        ("base-mainnet", "starknet_chainId"),
        ("base-mainnet", "getBalance"),
        *(("base-mainnet", method) for method in ("eth_sign", "eth_accounts", "eth_mining")),
        ("solana-mainnet", "logsSubscribe"),
    ],
)
def test_methods_that_are_not_offered(client: httpx.Client, network: str, method: str) -> None:
    """Methods of another family, and those that need a key, a miner or a lasting connection, are refused by name."""
    reply = client.post(f"/crypto/rpc/{network}", json=request(method))

    assert (reply.status_code, method in reply.text) == (400, True)


def test_batch_with_methods_that_are_not_offered(client: httpx.Client) -> None:
    """One method that is not offered refuses the whole batch, and each such method is named."""
    batch = [request(method) for method in ("eth_sign", "eth_chainId", "eth_newFilter")]

    reply = client.post(PATH, json=batch)

    assert (reply.status_code, "eth_sign, eth_newFilter" in reply.text) == (400, True)


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
