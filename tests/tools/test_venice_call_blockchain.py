import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Clock
from tests.tools.conftest import posts, refusal

Tool = Callable[..., str]
CALL: dict[str, Any] = {"network": "base-mainnet", "method": "eth_blockNumber"}
PRICE = {"X-Venice-RPC-Credits": "20", "X-Venice-RPC-Cost-USD": "0.00001400"}
TOLD = {"credits": 20, "cost_usd": 0.000014}
HASH = "0x" + "0a" * 32


@pytest.fixture
def ask(api: respx.MockRouter, tool: Tool) -> Callable[..., Any]:
    """Ask a chain that gives this result; the tool's reply."""

    def run(result: Any = "0x1", **arguments: Any) -> Any:
        reply = {"jsonrpc": "2.0", "id": 1, "result": result}
        api.post("/crypto/rpc/base-mainnet").respond(json=reply, headers=PRICE)
        said = tool(**CALL | arguments)
        assert len(said) < 8000
        return json.loads(said)

    return run


def test_lists_networks_for_free(api: respx.MockRouter, tool: Tool) -> None:
    """With no argument, the networks come, and nothing is paid."""
    api.get("/crypto/rpc/networks").respond(json={"networks": ["base-mainnet", "solana-mainnet"]})
    reply = json.loads(tool())

    assert ["base-mainnet", "solana-mainnet"] == reply["networks"]
    assert 1 == len(api.calls)


def test_sends_one_request_and_tells_its_price(
    ask: Callable[..., Any], api: respx.MockRouter
) -> None:
    """The call goes out as JSON-RPC; result, number and price come back."""
    reply = ask("0x1406f40", network=" Base-Mainnet ")

    assert {"result": "0x1406f40", "decimal": 21_000_000, **TOLD} == reply
    assert [{"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}] == posts(api)


@pytest.mark.parametrize(
    "params",
    [
        [{"to": "0xab", "data": "0x70a0"}, "latest"],
        ["0xab", True, None, 1.5, [2**70], "na\u00efve \U0001f98a", "1.10"],
        ["\ud800"],
    ],
    ids=["call", "any", "half"],
)
def test_any_json_list_is_sent_as_it_is(
    ask: Callable[..., Any], api: respx.MockRouter, params: list[Any]
) -> None:
    """Whatever stands in the list reaches the chain unchanged."""
    ask(method="eth_call", params=json.dumps(params))

    assert params == posts(api)[0]["params"]


def test_a_price_that_venice_does_not_state_is_left_out(api: respx.MockRouter, tool: Tool) -> None:
    """Without headers, no price is told; no params are none."""
    api.post("/crypto/rpc/base-mainnet").respond(json={"result": False})

    assert {"result": False} == json.loads(
        tool(network="base-mainnet", method="net_listening", params="")
    )


@pytest.mark.parametrize(
    ("method", "result", "numbers"),
    [
        ("eth_getBalance", "0x14d1120d7b160000", {"decimal": 15 * 10**17, "native_coins": "1.5"}),
        ("eth_getBalance", "0x0", {"decimal": 0, "native_coins": "0"}),
        ("eth_getBalance", "0x1", {"decimal": 1, "native_coins": "0.000000000000000001"}),
        ("eth_getBalance", hex(10**26), {"decimal": 10**26, "native_coins": "100000000"}),
        ("eth_gasPrice", "0x2cb417800", {"decimal": 12_000_000_000}),
        ("eth_maxPriorityFeePerGas", "0x1", {"decimal": 1}),
        ("eth_getTransactionCount", "0xff", {"decimal": 255}),
        ("eth_getBlockTransactionCountByHash", "0xff", {"decimal": 255}),
        ("eth_getCode", "0x60", {}),
        ("eth_call", "0x" + "00" * 31 + "01", {}),
        ("eth_getStorageAt", "0x1", {}),
        ("starknet_chainId", "0x534e", {}),
        ("getBalance", {"value": 5}, {}),
        ("eth_getBalance", "0x", {}),
        ("eth_chainId", 8453, {}),
    ],
)
def test_numbers_are_told_as_people_count(
    ask: Callable[..., Any], method: str, result: Any, numbers: dict[str, Any]
) -> None:
    """A result that is a number comes in decimals too, a balance in coins; what is data stays data."""
    assert {"result": result, **numbers, **TOLD} == ask(result, method=method)


def test_numbers_of_a_block_are_told_as_people_count(ask: Callable[..., Any]) -> None:
    """Of a block, a transaction or a receipt, those fields that are numbers are told as such."""
    block = {
        "number": "0x10",
        "timestamp": "0x68a0",
        "gasUsed": "0x5208",
        "hash": HASH,
        "value": None,
        "size": "0x01",
    }
    reply = ask(block, method="eth_getBlockByNumber", params='["0x10", false]')

    assert block == reply["result"]
    assert {"number": 16, "timestamp": 0x68A0, "gasUsed": 21000} == reply["decimals"]


@pytest.mark.parametrize(("result", "text"), [(None, "null"), ([], "[]"), ({}, "{}"), ("", '""')])
def test_an_empty_result_is_said(ask: Callable[..., Any], result: Any, text: str) -> None:
    """Nothing found is said in words, for an empty field would not be shown."""
    notes = [f"The result is {text}: there is no such thing, or not yet."]

    assert {**TOLD, "notes": notes} == ask(result, method="eth_getTransactionReceipt")


def test_a_long_result_is_cut_and_kept(ask: Callable[..., Any], tmp_path: Path) -> None:
    """Of a long result the beginning is shown, and all of it is in a file of the media store."""
    logs = [{"address": '"' * 40, "data": "0x" + "ab" * 40, "name": "\u00e9"}] * 100
    reply = ask(logs, method="eth_getLogs")

    file = Path(reply["file"])
    assert (tmp_path / "media", "application/json") == (file.parent, reply["type"])
    assert logs == json.loads(file.read_bytes())
    assert file.name.startswith("base-mainnet-eth-getlogs-")
    assert file.read_text().startswith(reply["result"])
    assert [
        f"These are the first 3,000 of {len(json.dumps(logs)):,} characters; the file has all."
    ] == reply["notes"]


def test_a_short_result_needs_no_folder(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where no file can be kept, short results still come; of a long one its beginning, which is paid, and why."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("VENICE_MEDIA_DIR", str(tmp_path / "file"))

    assert "x" * 4998 == ask("x" * 4998)["result"]
    reply = ask("x" * 4999)
    (note,) = reply.pop("notes")
    assert {"result": '"' + "x" * 2999, **TOLD} == reply
    assert note.startswith(
        "Only the first 3,000 of 5,001 characters can be shown. The file was made, but not kept: [Errno 17]"
    )


def test_a_folder_that_leads_nowhere_costs_nothing(
    api: respx.MockRouter, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home directory of nobody is refused before the blockchain is asked."""
    monkeypatch.setenv("VENICE_MEDIA_DIR", "~nobody-here/media")

    assert "check VENICE_MEDIA_DIR" in refusal(tool, **CALL)
    assert 0 == len(api.calls)


def test_a_long_result_needs_no_media_server(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the media server does not answer, a long result, which is paid, is shown and kept all the same."""
    monkeypatch.setenv("VENICE_MEDIA", "http://127.0.0.1:9")
    with respx.mock(base_url="http://127.0.0.1:9") as server:
        server.post("/files").mock(side_effect=httpx.ConnectError)
        reply = ask("x" * 9000)

    assert tmp_path / "media" == Path(reply["file"]).parent
    assert "the file has all" in reply["notes"][0]
    assert "lies only where the tools run" in reply["notes"][1]


def test_where_results_can_not_be_kept_nothing_is_paid(
    ask: Callable[..., Any], api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address of the media server that is none is found out before the blockchain is asked."""
    monkeypatch.setenv("VENICE_MEDIA", "http://user:pw@127.0.0.1")

    assert "VENICE_MEDIA is no http address." in refusal(ask, "x" * 9000)
    assert not [call for call in api.calls if call.request.method == "POST"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            {"code": -32602, "message": "missing value\nfor argument 0"},
            "code: -32602; missing value for argument 0",
        ),
        (
            {"code": 3, "message": "execution reverted", "data": "0x08c3"},
            "code: 3; execution reverted; data: 0x08c3",
        ),
        ({"message": "x" * 9000}, "x" * 500),
    ],
    ids=["params", "revert", "long"],
)
def test_an_error_of_the_chain_is_one_line(
    api: respx.MockRouter, tool: Tool, error: dict[str, Any], said: str
) -> None:
    """JSON-RPC's errors come under HTTP 200, and become a line with code and message; they are not asked again."""
    api.post("/crypto/rpc/base-mainnet").respond(
        json={"jsonrpc": "2.0", "id": 1, "error": error}, headers=PRICE
    )

    assert f"The blockchain refused: {said}. Correct the call, or leave it." == refusal(
        tool, **CALL
    )
    assert 1 == len(api.calls)


READS = [
    *(
        "eth_getBalance",
        "eth_call",
        "eth_blockNumber",
        "eth_getLogs",
        "eth_estimateGas",
        "eth_feeHistory",
    ),
    *(
        "eth_chainId",
        "eth_gasPrice",
        "eth_maxPriorityFeePerGas",
        "eth_blobBaseFee",
        "eth_createAccessList",
    ),
    *(
        "eth_syncing",
        "eth_getTransactionBySenderAndNonce",
        "eth_supportedEntryPoints",
        "eth_simulateV1",
    ),
    *(
        "eth_estimateUserOperationGas",
        "eth_getUserOperationReceipt",
        "net_version",
        "web3_clientVersion",
    ),
    *(
        "trace_filter",
        "trace_replayTransaction",
        "arbtrace_block",
        "debug_traceCall",
        "txpool_content",
    ),
    *(
        "zks_L1ChainId",
        "zks_estimateFee",
        "linea_estimateGas",
        "bor_getAuthor",
        "starknet_specVersion",
    ),
    *(
        "starknet_blockHashAndNumber",
        "starknet_simulateTransactions",
        "getAccountInfo",
        "getLatestBlockhash",
    ),
    *("isBlockhashValid", "minimumLedgerSlot", "simulateTransaction", "getSupply"),
]
WRITES = [
    *(
        "eth_sendRawTransaction",
        "eth_sendRawTransactionSync",
        "eth_sendTransaction",
        "eth_sendUserOperation",
    ),
    *(
        "eth_sendBundle",
        "eth_submitWork",
        "zks_sendRawTransactionWithDetailedOutput",
        "sendTransaction",
    ),
    *(
        "requestAirdrop",
        "starknet_addInvokeTransaction",
        "starknet_addDeclareTransaction",
        "broadcast_tx_commit",
    ),
    *(
        "eth_sign",
        "personal_unlockAccount",
        "debug_setHead",
        "admin_addPeer",
        "miner_start",
        "eth_resend",
    ),
    *(
        "getAndSendTransaction",
        "trace_submit",
        "callbackNow",
        "issueToken",
        "eth_cancelPrivateTransaction",
    ),
    *("ETH_SENDRAWTRANSACTION", "net_broadcast", "_", "x"),
]


@pytest.mark.parametrize("method", READS)
def test_what_reads_is_sent(ask: Callable[..., Any], api: respx.MockRouter, method: str) -> None:
    """Methods that only read need no leave."""
    reply = ask(method=method)

    assert [method] == [body["method"] for body in posts(api)]
    assert "next" not in reply


@pytest.mark.parametrize("method", WRITES)
def test_what_writes_needs_leave(
    ask: Callable[..., Any], api: respx.MockRouter, method: str
) -> None:
    """What sends, and whatever is not known to read only, is not sent unless it is allowed."""
    line = refusal(ask, method=method)
    assert line.startswith(f"{method} may write to the blockchain; nothing was sent.")
    assert "allow_write" in line
    assert 0 == len(api.calls)
    reply = ask(HASH, method=method, params='["0x02f8"]', allow_write=True)

    assert [(method, ["0x02f8"])] == [(body["method"], body["params"]) for body in posts(api)]
    assert HASH == reply["result"]
    assert "receipt" in reply["next"]


@pytest.mark.parametrize(
    ("method", "is_told"),
    [
        ("eth_getbalance", True),
        ("ETH_GETBALANCE", True),
        ("eth_sendrawtransaction", False),
        ("eth_cancelPrivateTransaction", False),
    ],
)
def test_a_name_without_its_capitals_is_told_so(
    ask: Callable[..., Any], api: respx.MockRouter, method: str, *, is_told: bool
) -> None:
    """What may only be misspelled is not answered with nothing but the way to write."""
    line = refusal(ask, method=method)

    assert is_told == (
        "If it only reads, write it with its capitals, as in eth_getBalance." in line
    )
    assert line.endswith("call again with allow_write; it cannot be undone.")
    assert 0 == len(api.calls)


@given(
    method=st.builds(
        "".join,
        st.tuples(
            st.from_regex(r"([a-z]+_)?[a-zA-Z]*", fullmatch=True),
            st.sampled_from(["send", "Send", "submit", "Broadcast"]),
            st.from_regex(r"[A-Z0-9]?[a-zA-Z]*", fullmatch=True).filter(
                lambda end: not end.lower().startswith("er")
            ),
        ),
    )
)
def test_whatever_sends_needs_leave(
    ask: Callable[..., Any], api: respx.MockRouter, method: str
) -> None:
    """However a method's name begins and ends: with send, submit or broadcast in it, it is not sent by itself."""
    refusal(ask, method=method)

    assert 0 == len(api.calls)


@pytest.mark.parametrize(
    "method",
    [
        *(
            "eth_newFilter",
            "eth_newBlockFilter",
            "eth_newPendingTransactionFilter",
            "eth_getFilterChanges",
        ),
        *(
            "eth_getFilterLogs",
            "eth_uninstallFilter",
            "eth_subscribe",
            "eth_unsubscribe",
            "accountSubscribe",
        ),
        *("logsUnsubscribe", "starknet_subscribeNewHeads"),
    ],
)
def test_filters_and_subscriptions_are_not_sent(
    ask: Callable[..., Any], api: respx.MockRouter, method: str
) -> None:
    """What needs a lasting connection is refused here, even with leave to write."""
    assert "Use eth_getLogs" in refusal(ask, method=method, allow_write=True)
    assert 0 == len(api.calls)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"network": ""}, "Give a network and a method"),
        ({"method": " "}, "Give a network and a method"),
        ({"network": "../balance"}, "Give a network and a method"),
        ({"network": "base mainnet"}, "Give a network and a method"),
        ({"method": "eth_call\n"}, ""),
        ({"method": "eth call"}, "Give a network and a method"),
        ({"method": "eth_c\u00e4ll"}, "Give a network and a method"),
        ({"params": '["0xab"'}, "'params' must be a JSON list"),
        ({"params": "[" * 100_000}, "'params' must be a JSON list"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_wrong_argument_costs_nothing(
    ask: Callable[..., Any], api: respx.MockRouter, arguments: dict[str, str], said: str
) -> None:
    """What can't work is refused before anything is sent; white space around names does no harm."""
    if said:
        assert said in refusal(ask, **arguments)
    else:
        ask(**arguments)
    assert (0 if said else 1) == len(api.calls)


def test_a_repeat_carries_the_same_key_and_a_new_call_another(
    api: respx.MockRouter, tool: Tool, ask: Callable[..., Any]
) -> None:
    """When Venice is busy, the same call goes out again under its own key; the agent's next call has a new one."""
    tool.__globals__["time"] = Clock()
    ask()
    good = httpx.Response(200, json={"result": "0x1"})
    api.post("/crypto/rpc/base-mainnet").mock(
        side_effect=[httpx.Response(503, json={"error": "busy"}), good]
    )
    tool(**CALL)

    first, second, third = (call.request.headers["idempotency-key"] for call in api.calls)
    assert second == third
    assert first != second


@pytest.mark.parametrize("failure", [500, 502, 504, httpx.ReadTimeout, httpx.ReadError])
def test_nothing_is_sent_twice(
    api: respx.MockRouter, tool: Tool, failure: int | type[Exception]
) -> None:
    """After a failure that may have been paid, and may have sent a transaction, the call is not repeated."""
    answer: Any = (
        httpx.Response(failure, json={"error": "odd"}) if isinstance(failure, int) else failure
    )
    api.post("/crypto/rpc/base-mainnet").mock(side_effect=answer)
    refusal(tool, **CALL | {"method": "eth_sendRawTransaction", "allow_write": True})

    assert 1 == len(api.calls)


def test_asks_the_local_venice(local_tool: Tool) -> None:
    """Over a real connection, a network is found, and asked; a transaction is sent only with leave."""
    networks = json.loads(local_tool())["networks"]
    network = networks[networks.index("base-mainnet")]
    reply = json.loads(local_tool(network=network, method="eth_chainId"))
    sent = json.loads(
        local_tool(
            network=network, method="eth_sendRawTransaction", params='["0x02"]', allow_write=True
        )
    )

    assert {"result": "0x2105", "decimal": 8453, **TOLD} == reply
    assert 66 == len(sent["result"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"network": "moon"}, "Venice answered 400: Unsupported network: moon."),
        ({"method": "eth_getFly"}, "code: -32601; the method eth_getFly does not exist"),
        ({"method": "eth_getBalance"}, "code: -32602; missing value for required argument 0"),
    ],
    ids=str,
)
def test_errors_of_the_local_venice(local_tool: Tool, arguments: dict[str, str], said: str) -> None:
    """Over a real connection, errors of Venice and of the chain are one line."""
    assert said in refusal(local_tool, **CALL | arguments)
