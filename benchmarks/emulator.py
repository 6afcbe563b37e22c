"""How fast the local Venice is: python benchmarks/emulator.py prints one line for each figure."""

import asyncio
import json
import statistics
import time
from collections.abc import Callable

import click
import httpx
import psutil

from sanctum_venice_tools.emulator.process import LocalVenice, running_venice

STARTS = 5
CALLS = 100
AT_ONCE = 200
LARGE = 300 * 2**20
MEGABYTE = 2**20
MESSAGE = {"role": "user", "content": "How do foxes live in cities?"}
CHAT = {"model": "zai-org-glm-5-2", "messages": [MESSAGE]}
WEB = {"venice_parameters": {"enable_web_search": "on", "enable_web_citations": True}}
PICTURE = {"model": "z-image-turbo", "prompt": "A red fox on a city roof at dusk"}


def tell(what: str, figure: str) -> None:
    """One line."""
    click.echo(f"{what:<60} {figure:>14}")


def milliseconds(call: Callable[[], httpx.Response], times: int = CALLS) -> str:
    """The median of several calls, each of which must succeed."""
    spans = []
    for _ in range(times):
        started = time.perf_counter()
        call().raise_for_status()
        spans.append((time.perf_counter() - started) * 1000)
    return f"{statistics.median(spans):.1f} ms"


def start_time() -> str:
    """From the command to the first answer."""
    spans = []
    for _ in range(STARTS):
        started = time.perf_counter()
        with running_venice() as venice:
            httpx.get(f"{venice.base_url}/models").raise_for_status()
            spans.append(time.perf_counter() - started)
    return f"{statistics.median(spans):.2f} s"


async def many_at_once(venice: LocalVenice) -> str:
    """Many chats, half of them streamed, all begun together; how long until the last has ended."""
    limits = httpx.Limits(max_connections=AT_ONCE)
    headers = {"Authorization": f"Bearer {venice.key}"}
    async with httpx.AsyncClient(
        base_url=venice.base_url, headers=headers, limits=limits, timeout=60
    ) as client:
        started = time.perf_counter()
        bodies = [{**CHAT, **WEB, "stream": bool(number % 2)} for number in range(AT_ONCE)]
        replies = await asyncio.gather(
            *(client.post("/chat/completions", json=body) for body in bodies)
        )
    failed = sum(reply.status_code != httpx.codes.OK for reply in replies)
    return f"{time.perf_counter() - started:.2f} s, {failed} failed"


def large_body(venice: LocalVenice) -> tuple[str, str]:
    """How fast a large body comes, and by how much the server's memory grows meanwhile."""
    process = psutil.Process(venice.pid)
    before = highest = process.memory_info().rss
    venice.order_fault(fault="bytes", bytes=LARGE)
    started, received = time.perf_counter(), 0
    with httpx.stream("GET", f"{venice.base_url}/models") as reply:
        for number, part in enumerate(reply.iter_raw()):
            received += len(part)
            if number % 100 == 0:
                highest = max(highest, process.memory_info().rss)
    if received != LARGE:
        raise click.ClickException(f"{received} bytes came instead of {LARGE}")
    speed = LARGE / MEGABYTE / (time.perf_counter() - started)
    return f"{speed:.0f} MB/s", f"{(highest - before) / MEGABYTE:.1f} MB"


@click.command(help=__doc__)
def main() -> None:
    """Measure everything once."""
    tell(f"start to first answer, median of {STARTS}", start_time())
    with running_venice(allow_faults=True) as venice:
        headers = {"Authorization": f"Bearer {venice.key}"}
        with httpx.Client(base_url=venice.base_url, headers=headers, timeout=60) as client:
            tell("GET /models", milliseconds(lambda: client.get("/models")))
            tell("GET /characters", milliseconds(lambda: client.get("/characters")))
            tell(
                "POST /chat/completions",
                milliseconds(lambda: client.post("/chat/completions", json=CHAT)),
            )
            searched = {**CHAT, **WEB}
            tell(
                "  with web search",
                milliseconds(lambda: client.post("/chat/completions", json=searched)),
            )
            streamed = {**searched, "stream": True}
            tell(
                "  streamed", milliseconds(lambda: client.post("/chat/completions", json=streamed))
            )
            long = {**CHAT, "messages": [MESSAGE] * 200}
            size = len(json.dumps(long)) // 1000
            tell(
                f"  with 200 messages ({size} kB)",
                milliseconds(lambda: client.post("/chat/completions", json=long)),
            )
            vectors = {
                "model": "text-embedding-bge-m3",
                "input": "A red fox on a city roof at dusk",
            }
            tell("POST /embeddings", milliseconds(lambda: client.post("/embeddings", json=vectors)))
            tell(
                "POST /image/generate, 1024 x 1024 WebP",
                milliseconds(lambda: client.post("/image/generate", json=PICTURE), 10),
            )
        tell(f"{AT_ONCE} chats at once", asyncio.run(many_at_once(venice)))
        speed, growth = large_body(venice)
        tell(f"a body of {LARGE // MEGABYTE} MB", speed)
        tell("  memory of the server meanwhile", f"+ {growth}")


if __name__ == "__main__":
    main()
