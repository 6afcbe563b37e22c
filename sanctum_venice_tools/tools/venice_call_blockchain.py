"""Ask a blockchain."""

import json
import re
import uuid
from decimal import Decimal
from typing import Any

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.media import _media_folder, _store
from sanctum_venice_tools.runtime.replies import _list_of, _object_of, _parse_reply, _text_of
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call, _given, _reason

TOOLSET = "chain"
COST = "cents"

# What only reads: whole families of methods, and elsewhere these verbs. All else counts as writing, and so does
# whatever sends, no matter how it begins.
_READS = re.compile(
    r"((arb)?trace|txpool|net|web3)_\w+|([a-z0-9]+_)?(get|is|call|estimate|simulate|trace|block|chain|gas|fee|max|blob|"
    r"minimum|supported|spec|syncing|protocol|storageRange|createAccessList|L1)(?![a-z])\w*"
)
_SENDS = re.compile(r"(?i)send(?!er)|submit|broadcast")
_NEEDS_MEMORY = re.compile(r"(?i)(new\w*|get|uninstall)filter|subscribe")

# Methods whose result is a number in hex, and such fields of blocks, transactions and receipts.
_NUMBERS = re.compile(
    r"eth_(blockNumber|chainId|gasPrice|getBalance|estimateGas|\w+FeePerGas|blobBaseFee|get\w+Count\w*)"
)
_NUMBER_FIELDS = (
    *("number", "blockNumber", "timestamp", "value", "gas", "gasUsed", "gasLimit", "gasPrice", "effectiveGasPrice"),
    *("baseFeePerGas", "maxFeePerGas", "maxPriorityFeePerGas", "transactionIndex", "status", "chainId", "size"),
)
_HEX = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,39})")


def _count(method: str, result: Any) -> dict[str, Any]:
    """The numbers in a result, as people count."""
    if isinstance(result, dict):
        fields = {name: str(result.get(name)) for name in _NUMBER_FIELDS}
        return _given(decimals={name: int(text, 16) for name, text in fields.items() if _HEX.fullmatch(text)})
    if not (_NUMBERS.fullmatch(method) and _HEX.fullmatch(str(result))):
        return {}
    number = int(result, 16)
    # Every chain that knows this method has 18 decimals.
    coins = f"{Decimal(number).scaleb(-18).normalize():f}" if method == "eth_getBalance" else None
    return _given(decimal=number, native_coins=coins)


@_read_as_meant
def venice_call_blockchain(
    *, network: str = "", method: str = "", params: list[Any] | None = None, allow_write: bool = False
) -> str:
    """Ask a blockchain by JSON-RPC (balances, blocks, transactions, contracts, logs), or relay a signed transaction.

    Costs under 0.01 US cents. With no arguments, it lists the networks, free. Filters and subscriptions do not exist.

    Args:
        network: Such as ethereum-mainnet, base-mainnet or solana-mainnet.
        method: The network's own method, such as eth_getBalance, eth_call, eth_getLogs or eth_getTransactionReceipt.
        params: What the method takes, such as ["0x...", "latest"].
        allow_write: True for methods that write, such as eth_sendRawTransaction with a transaction that its owner has
            signed. Only when the person asked for it: it cannot be undone.

    Returns:
        JSON: result, decimal or decimals (its hex numbers), native_coins (a balance), credits, cost_usd, notes;
        file (all of a long result).
    """
    if not network and not method:
        listed, _ = _call("GET", "/crypto/rpc/networks")
        names = [_text_of(name)[:40] for name in _list_of(_object_of(listed).get("networks"))[:120]]
        return _answer(networks=names, next="Call again with one of them, a method and its params.")
    network, method = network.strip().lower(), method.strip()
    if not re.fullmatch(r"[a-z0-9-]+", network) or not re.fullmatch(r"\w+", method, re.ASCII):
        raise VeniceError("Give a network and a method by their names; with no arguments, the networks are listed.")
    if _NEEDS_MEMORY.search(method):
        raise VeniceError(f"{method:.60} is not offered: no filters, no subscriptions. Use eth_getLogs, or ask again.")
    writes = not _READS.fullmatch(method) or bool(_SENDS.search(method))
    if writes and not allow_write:
        ask = "If the person asked for just this, call again with allow_write; it cannot be undone."
        raise VeniceError(f"{method:.80} may write to the blockchain; nothing was sent. {ask}")

    # A key for this call alone: should it have to be sent again, Venice does it only once.
    headers = {"Idempotency-Key": uuid.uuid4().hex, "Content-Type": "application/json"}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params or []})
    replies, told = _call("POST", f"/crypto/rpc/{network}", content=body, headers=headers)
    reply = _object_of(_list_of(replies)[0] if _list_of(replies) else replies)
    if reply.get("error"):
        raise VeniceError(f"The blockchain refused: {_reason(reply['error'])}. Correct the call, or leave it.")
    result = reply.get("result")
    text = json.dumps(result)
    notes, kept = [], {}
    if result in (None, "", [], {}):
        notes.append(f"The result is {text}: there is no such thing, or not yet.")
    if len(text) > 5000:
        kept = _store(_media_folder(), text.encode(), f"{network} {method}", lambda _: ["json"])
        kept |= {"type": "application/json"}
        notes.append(f"These are the first 3,000 of {len(text):,} characters; the file has all.")
    return _answer(
        result=text[:3000] if kept else result,
        **_count(method, result),
        **kept,
        credits=_parse_reply(told.get("X-Venice-RPC-Credits", "")),
        cost_usd=_parse_reply(told.get("X-Venice-RPC-Cost-USD", "")),
        notes=notes,
        next="Ask for its receipt or status to see whether it went through." if writes else "",
    )
