#!/usr/bin/env python3
"""What a tool call costs in a local Letta server's sandbox, against a tool that does nothing.

    python benchmarks/tool_call.py [ROUNDS]

Each round calls, one after the other: a tool without arguments; one written the documented way (a
positional text argument); and each tool of the pack as it ships, with a stand-in for Venice that
answers at once. The figures are medians in seconds, and ratios to the tool without arguments of the
same run.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# A clone works without being installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from letta_client import Letta

from sanctum_venice_tools.emulator.process import running_venice
from sanctum_venice_tools.letta import local_server
from sanctum_venice_tools.packing.record import read_record

EMPTY = "def nothing() -> str:\n    return '{}'\n"
DOCUMENTED = "def documented(text: str) -> str:\n    return text\n"
ARGUMENTS = {
    "venice_ask_web": {"question": "How do foxes live in cities?"},
    "venice_find_characters": {"query": "philosophy"},
    # Small: drawing is the stand-in's work.
    "venice_generate_image": {"prompt": "a fox", "aspect_ratio": "64x64"},
}


def schema(name: str, *arguments: str) -> dict[str, Any]:
    """A minimal schema of text arguments."""
    properties = {argument: {"type": "string", "description": argument} for argument in arguments}
    parameters = {"type": "object", "properties": properties, "required": list(arguments)}
    return {"name": name, "description": name, "parameters": parameters}


def cases(folder: str) -> dict[str, dict[str, Any]]:
    """What is timed: the body of each request, by name."""
    bodies: dict[str, dict[str, Any]] = {
        "nothing": {"source_code": EMPTY, "json_schema": schema("nothing"), "args": {}},
        "documented": {
            "source_code": DOCUMENTED,
            "json_schema": schema("documented", "text"),
            "args": {"text": "1.10"},
        },
    }
    for name, arguments in ARGUMENTS.items():
        record = read_record(name)
        bodies[name] = {
            "source_code": record.source_code,
            "json_schema": record.json_schema,
            "args": arguments,
        }
        # The same text stopped before it calls Venice: what the tool's own presence costs.
        empty_key = {"VENICE_API_KEY": ""}
        bodies[f"{name}, no call"] = {**bodies[name], "env_vars": empty_key}
    for name, body in bodies.items():
        body["name"] = name.partition(",")[0]
        body.setdefault("env_vars", {})["VENICE_MEDIA_DIR"] = folder
    return bodies


def main() -> None:
    """Run the rounds and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as folder, running_venice() as venice:
        server = local_server.start(
            Path(folder) / "letta",
            environment={"VENICE_API_KEY": venice.key, "VENICE_BASE_URL": venice.base_url},
            tied_to_caller=True,
            progress=print,
        )
        letta = Letta(base_url=server.base_url, timeout=120)
        seconds: dict[str, list[float]] = {}
        for turn in range(rounds + 1):
            for name, body in cases(folder).items():
                start = time.perf_counter()
                letta.post("/v1/tools/run", cast_to=object, body=body)
                if turn:  # the first round warms caches up
                    seconds.setdefault(name, []).append(time.perf_counter() - start)
            print(f"round {turn} of {rounds}", flush=True)
        local_server.stop(server.home)
    base = statistics.median(seconds["nothing"])
    print(f"\n{'tool':<32} {'median s':>8} {'min':>6} {'max':>6} {'ratio':>6}")
    for name, measured in seconds.items():
        median = statistics.median(measured)
        least, most, ratio = min(measured), max(measured), median / base
        print(f"{name:<32} {median:>8.2f} {least:>6.2f} {most:>6.2f} {ratio:>6.2f}")


if __name__ == "__main__":
    main()
