"""Typical calls, which several benchmarks make: the local Venice answers them without delay."""

from typing import Any

Call = tuple[str, dict[str, Any]]

# A tool of each toolset; that of admin makes nothing, but gets what a wallet would have to sign.
OF_EACH_TOOLSET: dict[str, Call] = {
    "core": ("venice_ask_web", {"question": "How do foxes live in cities?"}),
    "text": (
        "venice_decide",
        {"state": "My parcel is late.", "questions": {"urgent": "Is this urgent?"}},
    ),
    "image": ("venice_list_image_styles", {"words": "film"}),
    "audio": ("venice_list_voices", {"words": "British female"}),
    "video": ("venice_transcribe_video", {"video": "https://www.youtube.com/watch?v=aqz-KE-bpKQ"}),
    "web": ("venice_search_web", {"query": "red foxes"}),
    "account": ("venice_check_account", {}),
    "admin": ("venice_create_web3_key", {}),
    "chain": ("venice_call_blockchain", {"network": "base-mainnet", "method": "eth_blockNumber"}),
}

# What conversations consist of besides.
OTHERS: tuple[Call, ...] = (
    ("venice_chat", {"prompt": "Good day."}),
    ("venice_find_characters", {"query": "philosophy"}),
    ("venice_generate_image", {"prompt": "A red fox on a city roof at dusk"}),
    ("venice_generate_image", {"prompt": "A red fox on a city roof at dusk", "variants": 4}),
    ("venice_list_models", {}),
    ("venice_quote_video", {"duration": "5s"}),
    ("venice_rank_texts", {"query": "animals", "texts": ["A fox.", "A house.", "A bee."]}),
    ("venice_speak", {"text": "The fox crosses the empty street."}),
    ("venice_report_usage", {}),
    ("venice_read_webpage", {"url": "https://www.example.org/urban-wildlife/red-foxes"}),
)
