"""Ask a blockchain."""

import json
import re
import uuid
from decimal import Decimal
from typing import Any

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.media import _media_path, _store_text
from sanctum_venice_tools.runtime.publishing import _published
from sanctum_venice_tools.runtime.replies import _list_of, _object_of, _parse_reply, _text_of
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call, _given, _reason

TOOLSET = "chain"
COST = "cents"

# A result that is longer, in characters, is kept as a file, and only its beginning is shown.
_LONGEST_RESULT = 5000
_BEGINNING = 3000


# --- which methods may be called ---

# What only reads: whole families of methods, such as trace_block and net_version, and elsewhere
# these verbs, such as eth_getBalance, isBlockhashValid and starknet_call. All else counts as
# writing.
_READING_FAMILY = re.compile(r"((arb)?trace|txpool|net|web3)_\w+")
_READING_VERB = re.compile(
    r"""
    ( [a-z0-9]+_ )?
    ( get | is | call | estimate | simulate | trace | block | chain | gas | fee | max | blob
      | minimum | supported | spec | syncing | protocol | storageRange | createAccessList | L1 )
    (?![a-z]) \w*
    """,
    re.VERBOSE,
)

# What sends writes, no matter how it begins: eth_sendRawTransaction, trace_submit; not getSender.
_SENDS = re.compile(r"send(?!er)|submit|broadcast", re.IGNORECASE)

# What Venice would have to remember for the next call: eth_newBlockFilter, eth_getFilterLogs,
# eth_subscribe.
_NEEDS_MEMORY = re.compile(r"(new\w*|get|uninstall)filter|subscribe", re.IGNORECASE)


def _may_write(method: str) -> bool:
    """Whether a method may change a blockchain."""
    if _SENDS.search(method):
        return True
    only_reads = _READING_FAMILY.fullmatch(method) or _READING_VERB.fullmatch(method)
    return not only_reads


def _refuse_to_write(method: str) -> VeniceError:
    """The error for a method that may write; or that only seems to, for want of its capitals."""
    fault = f"{method:.80} may write to the blockchain; nothing was sent"
    ask = "If the person asked for just this, call again with allow_write; it cannot be undone."
    has_one_case = method in (method.lower(), method.upper())
    if has_one_case and not _SENDS.search(method):
        spelling = "If it only reads, write it with its capitals, as in eth_getBalance"
        return VeniceError(f"{fault}. {spelling}. {ask}")
    return VeniceError(f"{fault}. {ask}")


# --- numbers, which come in hex ---

_HEX = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,39})")

# Methods whose result is a number.
_NUMBERS = re.compile(
    r"""
    eth_
    ( blockNumber | chainId | gasPrice | getBalance | estimateGas
      | \w+FeePerGas | blobBaseFee | get\w+Count\w* )
    """,
    re.VERBOSE,
)

# Fields of blocks, transactions and receipts that are numbers.
_NUMBER_FIELDS = (
    "number",
    "blockNumber",
    "timestamp",
    "value",
    "gas",
    "gasUsed",
    "gasLimit",
    "gasPrice",
    "effectiveGasPrice",
    "baseFeePerGas",
    "maxFeePerGas",
    "maxPriorityFeePerGas",
    "transactionIndex",
    "status",
    "chainId",
    "size",
)

# Every chain that knows the method for a balance has so many.
_COIN_DECIMALS = 18


def _count(method: str, result: Any) -> dict[str, Any]:
    """The numbers in a result, as people count."""
    if isinstance(result, dict):
        return _given(decimals=_numbers_in(result))
    if not _NUMBERS.fullmatch(method) or not _HEX.fullmatch(str(result)):
        return {}
    number = int(result, 16)
    if method != "eth_getBalance":
        return {"decimal": number}
    coins = Decimal(number).scaleb(-_COIN_DECIMALS).normalize()
    return {"decimal": number, "native_coins": f"{coins:f}"}


def _numbers_in(fields: dict[str, Any]) -> dict[str, int]:
    """The numbers among the fields of a block, transaction or receipt."""
    numbers = {}
    for name in _NUMBER_FIELDS:
        written = str(fields.get(name))
        if _HEX.fullmatch(written):
            numbers[name] = int(written, 16)
    return numbers


# --- the calls ---


def _list_networks() -> str:
    """The reply that names the networks."""
    listed, _ = _call("GET", "/crypto/rpc/networks")
    names = _list_of(_object_of(listed).get("networks"))[:120]
    networks = [_text_of(name)[:40] for name in names]
    return _answer(networks=networks, next="Call again with one of them, a method and its params.")


def _tell_beginning(length: int, fault: str) -> str:
    """What to say of a result that is too long to be shown, or that can't be kept either."""
    if fault:
        return f"Only the first {_BEGINNING:,} of {length:,} characters can be shown. {fault}"
    return f"These are the first {_BEGINNING:,} of {length:,} characters; the file has all."


@_published
@_read_as_meant
def venice_call_blockchain(
    *,
    network: str = "",
    method: str = "",
    params: list[Any] | None = None,
    allow_write: bool = False,
) -> str:
    """Ask a blockchain by JSON-RPC (balances, blocks, transactions, contracts, logs), or relay a signed transaction.

    Costs under 0.01 US cents. With no arguments, it lists the networks, free. Filters and
    subscriptions do not exist.

    Args:
        network: Such as ethereum-mainnet, base-mainnet or solana-mainnet.
        method: The network's own method, such as eth_getBalance, eth_call, eth_getLogs or
            eth_getTransactionReceipt.
        params: What the method takes, such as ["0x...", "latest"].
        allow_write: True for methods that write, such as eth_sendRawTransaction with a transaction
            that its owner has signed. Only when the person asked for it: it cannot be undone.

    Returns:
        JSON: result, decimal or decimals (its hex numbers), native_coins (a balance), credits,
            cost_usd, notes; file (all of a long result).
    """
    if not network and not method:
        return _list_networks()
    network = network.strip().lower()
    method = method.strip()
    if not re.fullmatch(r"[a-z0-9-]+", network) or not re.fullmatch(r"\w+", method, re.ASCII):
        advice = "with no arguments, the networks are listed"
        raise VeniceError(f"Give a network and a method by their names; {advice}.")
    if _NEEDS_MEMORY.search(method):
        fault = f"{method:.60} is not offered: no filters, no subscriptions"
        raise VeniceError(f"{fault}. Use eth_getLogs, or ask again.")
    writes = _may_write(method)
    if writes and not allow_write:
        raise _refuse_to_write(method)
    folder = _media_path()  # an error, if its setting is none: now, and not after the call is paid

    # A key for this call alone: should it have to be sent again, Venice does it only once.
    headers = {"Idempotency-Key": uuid.uuid4().hex, "Content-Type": "application/json"}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params or []})
    replied, told = _call("POST", f"/crypto/rpc/{network}", content=body, headers=headers)

    replies = _list_of(replied) or [replied]
    reply = _object_of(replies[0])
    if reply.get("error"):
        raise VeniceError(
            f"The blockchain refused: {_reason(reply['error'])}. Correct the call, or leave it."
        )
    result = reply.get("result")
    text = json.dumps(result)
    shown = result
    notes = []
    kept: dict[str, Any] = {}
    if result in (None, "", [], {}):
        notes.append(f"The result is {text}: there is no such thing, or not yet.")
    if len(text) > _LONGEST_RESULT:
        kept, fault = _store_text(folder, text, f"{network} {method}", "json")
        if kept:
            kept["type"] = "application/json"
        shown = text[:_BEGINNING]
        notes.append(_tell_beginning(len(text), fault))
    next_step = ""
    if writes:
        next_step = "Ask for its receipt or status to see whether it went through."
    return _answer(
        result=shown,
        **_count(method, result),
        **kept,
        credits=_parse_reply(told.get("X-Venice-RPC-Credits", "")),
        cost_usd=_parse_reply(told.get("X-Venice-RPC-Cost-USD", "")),
        notes=notes,
        next=next_step,
    )
