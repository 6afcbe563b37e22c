"""POST /crypto/rpc/{network}: a few blockchain methods with made-up answers."""

import hashlib
import json
import re
import uuid
from typing import Any

from starlette.responses import JSONResponse, Response

from sanctum_venice_tools.emulator.errors import custom, standard
from sanctum_venice_tools.emulator.service import Call

# Each network, and its chain's id, where it has one. Venice's document names them as an example;
# those of Blast are from Venice's skill for blockchains (github.com/veniceai/skills, 73c0bf7).
NETWORKS = {
    "arbitrum-mainnet": 42161,
    "arbitrum-sepolia": 421614,
    "avalanche-fuji": 43113,
    "avalanche-mainnet": 43114,
    "base-mainnet": 8453,
    "base-sepolia": 84532,
    "blast-mainnet": 81457,
    "blast-sepolia": 168587773,
    "bsc-mainnet": 56,
    "bsc-testnet": 97,
    "ethereum-holesky": 17000,
    "ethereum-mainnet": 1,
    "ethereum-sepolia": 11155111,
    "linea-mainnet": 59144,
    "linea-sepolia": 59141,
    "optimism-mainnet": 10,
    "optimism-sepolia": 11155420,
    "polygon-amoy": 80002,
    "polygon-mainnet": 137,
    "robinhood-mainnet": 4663,
    "robinhood-testnet": 46630,
    "solana-devnet": 0,
    "solana-mainnet": 0,
    "starknet-mainnet": int.from_bytes(b"SN_MAIN"),
    "starknet-sepolia": int.from_bytes(b"SN_SEPOLIA"),
    "zksync-mainnet": 324,
    "zksync-sepolia": 300,
}
CREDITS = 20
CREDITS_ELSEWHERE = {"solana": 30, "zksync": 30}
ERROR_CREDITS = 5
CREDIT_USD = 7e-7
# How the methods of each family of chains are called: eth_call, starknet_chainId, getBalance. That
# a family's methods are refused elsewhere, says the document; the list of names is not published.
EVM_METHOD = re.compile(r"(?!starknet_)[a-z0-9]+_\w+")
METHODS_ELSEWHERE = {"starknet": re.compile(r"starknet_\w+"), "solana": re.compile(r"[A-Za-z]+")}
# What needs a memory, a lasting connection, a key or a miner (the document, and the page on this
# endpoint at docs.venice.ai).
REFUSED = re.compile(
    r"""
    \w+_(new\w*Filter|getFilter\w*|uninstallFilter)
    | \w+_(un)?subscribe | \w+(S|Uns)ubscribe
    | eth_(sign|accounts|mining|hashrate|getWork|submitWork)
    """,
    re.VERBOSE,
)
IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{1,255}")
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602


async def list_networks(call: Call) -> Response:  # noqa: ARG001 - every endpoint is called alike
    """GET /crypto/rpc/networks."""
    return JSONResponse({"networks": sorted(NETWORKS)})


async def forward(call: Call) -> Response:
    """POST /crypto/rpc/{network}; the same Idempotency-Key gets the same answer, at no cost."""
    network = call.path["network"]
    if network not in NETWORKS:
        raise standard(400, f"Unsupported network: {network}")
    requests = call.body if isinstance(call.body, list) else [call.body]
    chain = network.partition("-")[0]
    refused = [
        request["method"] for request in requests if not _is_offered(chain, request["method"])
    ]
    if refused:
        raise standard(400, f"Method not supported: {', '.join(refused)}")
    key = call.request.headers.get("idempotency-key")
    if key is not None and not IDEMPOTENCY_KEY.fullmatch(key):
        raise custom("Idempotency-Key", "Invalid")
    body = hashlib.sha256(json.dumps([network, call.body], sort_keys=True).encode()).hexdigest()
    memory = call.service.replies
    if key and (call.key_id, key) in memory:
        earlier, content, headers = memory[call.key_id, key]
        if earlier != body:
            raise custom("Idempotency-Key", "This key was used with another request")
        return JSONResponse(content, headers=headers | {"Idempotent-Replayed": "true"})

    answers = [_answer(network, request) for request in requests]
    full = CREDITS_ELSEWHERE.get(chain, CREDITS)
    credits_ = sum(ERROR_CREDITS if "error" in answer else full for answer in answers)
    content = answers if isinstance(call.body, list) else answers[0]
    headers = {
        "X-Venice-RPC-Credits": str(credits_),
        "X-Venice-RPC-Cost-USD": f"{credits_ * CREDIT_USD:.8f}",
        "X-Request-ID": uuid.uuid4().hex,
    }
    call.charge(credits_ * CREDIT_USD, sku="crypto-rpc", units=credits_)
    if key:
        memory[call.key_id, key] = (body, content, headers)
    return JSONResponse(content, headers=headers)


def _is_offered(chain: str, method: str) -> bool:
    """Whether a method may be called on a chain."""
    of_family = METHODS_ELSEWHERE.get(chain, EVM_METHOD)
    return bool(of_family.fullmatch(method)) and not REFUSED.fullmatch(method)


def _answer(network: str, request: dict[str, Any]) -> dict[str, Any]:
    """The answer to one request; an error of JSON-RPC is no error of HTTP."""
    frame = {"jsonrpc": "2.0"} | ({"id": request["id"]} if "id" in request else {})
    params = request.get("params", [])
    digest = hashlib.sha256(json.dumps([network, request["method"], params]).encode()).hexdigest()
    needs_address = {"eth_getBalance", "eth_getTransactionCount", "eth_getCode"}
    if request["method"] in needs_address and not (params and isinstance(params[0], str)):
        return frame | {
            "error": {"code": INVALID_PARAMS, "message": "missing value for required argument 0"}
        }
    results: dict[str, Any] = {
        "eth_chainId": hex(NETWORKS[network]),
        "eth_blockNumber": hex(21_000_000 + NETWORKS[network] % 1000),
        "eth_gasPrice": hex(12_000_000_000),
        "eth_getBalance": hex(int(digest[:14], 16)),
        "eth_getTransactionCount": hex(int(digest[:2], 16)),
        "eth_getCode": "0x",
        "eth_call": "0x" + digest,
        "eth_estimateGas": hex(21_000),
        "eth_getTransactionReceipt": None,
        "eth_sendRawTransaction": "0x" + digest,
        "net_version": str(NETWORKS[network]),
        "web3_clientVersion": "local-venice/1.0",
        "starknet_chainId": hex(NETWORKS[network]),
        "starknet_blockNumber": 3_000_000,
        "getHealth": "ok",
        "getBalance": {"context": {"slot": 350_000_000}, "value": int(digest[:10], 16)},
    }
    if request["method"] not in results:
        message = f"the method {request['method']} does not exist/is not available"
        return frame | {"error": {"code": METHOD_NOT_FOUND, "message": message}}
    return frame | {"result": results[request["method"]]}
