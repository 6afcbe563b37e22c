"""How fast the local Venice is: its start, its answers, many at once, and a large body.

Beside its answers in the same run: the same server's refusal of an unknown path, which is what a
request costs by itself. Half a minute.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

# A clone works without being installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import click
import httpx
import psutil

from benchmarks.measuring import MEGABYTE, Table, benchmark, seconds_of
from sanctum_venice_tools.emulator.process import LocalVenice, running_venice

MESSAGE = {"role": "user", "content": "How do foxes live in cities?"}
CHAT = {"model": "zai-org-glm-5-2", "messages": [MESSAGE]}
WEB = {"venice_parameters": {"enable_web_search": "on", "enable_web_citations": True}}
SEARCHED = {**CHAT, **WEB}
LONG = {**CHAT, "messages": [MESSAGE] * 200}
VECTORS = {"model": "text-embedding-bge-m3", "input": "A red fox on a city roof at dusk"}
PICTURE = {"model": "z-image-turbo", "prompt": "A red fox on a city roof at dusk"}


@benchmark(__file__, __doc__)
def main(*, quick: bool) -> list[Table]:
    """Measure everything once."""
    start = _start(1 if quick else 5)
    with running_venice(allow_faults=True) as venice:
        headers = {"Authorization": f"Bearer {venice.key}"}
        with httpx.Client(base_url=venice.base_url, headers=headers, timeout=60) as client:
            answers = _answers(client, 3 if quick else 100)
        at_once = _many_at_once(venice, 20 if quick else 200)
        large = _large_body(venice, 10 if quick else 300)
    return [start, answers, at_once, large]


def _start(times: int) -> Table:
    """From the command to the first answer."""
    table = Table(f"Start to first answer, median of {times}", {"what": "", "s": ".2f"})
    table.add("a local Venice", median(seconds_of(_start_and_ask) for _ in range(times)))
    return table


def _start_and_ask() -> None:
    with running_venice() as venice:
        httpx.get(f"{venice.base_url}/models").raise_for_status()


def _answers(client: httpx.Client, times: int) -> Table:
    """Each kind of answer, one after the other."""
    kilobytes = len(json.dumps(LONG)) // 1000
    asked: dict[str, Callable[[], httpx.Response]] = {
        "GET /models": lambda: client.get("/models"),
        "GET /characters": lambda: client.get("/characters"),
        "POST /chat/completions": lambda: client.post("/chat/completions", json=CHAT),
        "  with web search": lambda: client.post("/chat/completions", json=SEARCHED),
        "  streamed": lambda: client.post("/chat/completions", json={**SEARCHED, "stream": True}),
        f"  with 200 messages ({kilobytes} kB)": lambda: client.post(
            "/chat/completions", json=LONG
        ),
        "POST /embeddings": lambda: client.post("/embeddings", json=VECTORS),
        "POST /image/generate, 1024 x 1024 WebP": lambda: client.post(
            "/image/generate", json=PICTURE
        ),
    }
    table = Table(f"Answers, medians of {times} (of pictures, a tenth)", {"what": "", "ms": ".1f"})
    unknown = _milliseconds(lambda: client.get("/none"), times, expected=404)
    table.add("a path that is not there", unknown)
    for what, ask in asked.items():
        fewer = max(times // 10, 1) if "image" in what else times
        table.add(what, _milliseconds(ask, fewer))
    return table


def _milliseconds(
    ask: Callable[[], httpx.Response], times: int, *, expected: int = httpx.codes.OK
) -> float:
    """The median of several requests, each of which must be answered as expected."""

    def ask_once() -> None:
        status = ask().status_code
        if status != expected:
            raise click.ClickException(f"The local Venice answered {status}, not {expected}.")

    return median(seconds_of(ask_once) for _ in range(times)) * 1000


def _many_at_once(venice: LocalVenice, count: int) -> Table:
    """Many chats, half of them streamed, all begun together."""
    table = Table("Chats at once", {"what": "", "s until the last": ".2f", "failed": "d"})
    started = time.perf_counter()
    failed = asyncio.run(_chat(venice, count))
    table.add(f"{count} chats", time.perf_counter() - started, failed)
    return table


async def _chat(venice: LocalVenice, count: int) -> int:
    """Hold so many chats; how many of them failed."""
    limits = httpx.Limits(max_connections=count)
    headers = {"Authorization": f"Bearer {venice.key}"}
    bodies = [{**SEARCHED, "stream": bool(number % 2)} for number in range(count)]
    async with httpx.AsyncClient(
        base_url=venice.base_url, headers=headers, limits=limits, timeout=60
    ) as client:
        replies = await asyncio.gather(
            *(client.post("/chat/completions", json=body) for body in bodies)
        )
    return sum(reply.status_code != httpx.codes.OK for reply in replies)


def _large_body(venice: LocalVenice, megabytes: int) -> Table:
    """How fast a large body comes, and by how much the server's memory grows meanwhile."""
    process = psutil.Process(venice.pid)
    before = highest = process.memory_info().rss
    length = megabytes * MEGABYTE
    venice.order_fault(fault="bytes", bytes=length)
    started = time.perf_counter()
    received = 0
    with httpx.stream("GET", f"{venice.base_url}/models") as reply:
        for number, part in enumerate(reply.iter_raw()):
            received += len(part)
            if number % 100 == 0:
                highest = max(highest, process.memory_info().rss)
    seconds = time.perf_counter() - started
    if received != length:
        raise click.ClickException(f"{received} bytes came instead of {length}")
    table = Table("A large body", {"what": "", "MB/s": ".0f", "server MB": "+.1f"})
    table.add(f"{megabytes} MB", megabytes / seconds, (highest - before) / MEGABYTE)
    return table


if __name__ == "__main__":
    main()
