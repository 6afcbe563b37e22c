"""The local Venice as a process, and what it writes down."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import httpx
import psutil
import pytest

from sanctum_venice_tools.emulator.command import emulator
from sanctum_venice_tools.emulator.log import abbreviate
from sanctum_venice_tools.emulator.process import LocalVenice, running_venice


def entries(log: Path) -> list[dict[str, Any]]:
    """The lines of a log."""
    return [json.loads(line) for line in log.read_text().splitlines()]


def last_entry(log: Path, path: str) -> dict[str, Any]:
    """The last line of a log, once it is of that path: a line is written when its reply has been sent."""
    until = time.monotonic() + 5
    while entries(log)[-1]["path"] != path and time.monotonic() < until:
        time.sleep(0.01)
    return entries(log)[-1]


def test_requests_are_written_down(venice: LocalVenice, client: httpx.Client, log: Path) -> None:
    """Each request is a line with its body, status and time, and none holds a key."""
    made = client.post("/api_keys", json={"apiKeyType": "INFERENCE", "description": "log"}).json()[
        "data"
    ]["apiKey"]
    text = f"{'long ' * 5000}{venice.key} {made}"
    client.post("/embeddings", json={"model": "nope", "input": text})

    last = last_entry(log, "/embeddings")
    assert (last["method"], last["path"], last["status"]) == ("POST", "/embeddings", 404)
    assert last["body"]["input"] == f"{'long ' * 5000}[key] [key]"
    assert last["milliseconds"] > 0
    assert venice.key not in log.read_text()
    assert made not in log.read_text()


def test_files_and_base64_are_told_by_length(
    client: httpx.Client, log: Path, png: Callable[..., bytes]
) -> None:
    """Uploads and long base64 do not fill the log."""
    client.post("/image/edit", files={"image": ("a.png", png())}, data={"prompt": "x"})

    body = last_entry(log, "/image/edit")["body"]
    assert body == {"image": f"(file a.png, {len(png())} bytes)", "prompt": "x"}
    assert abbreviate({"a": ["data:image/png;base64," + "A" * 300]}) == {
        "a": ["data:image/png;base64,(322 characters)"]
    }
    assert abbreviate("A" * 1000) == "(base64, 1000 characters)"
    assert abbreviate("a b " * 60_000).endswith("... (240000 characters)")


def test_unknown_addresses_are_written_down(client: httpx.Client, log: Path) -> None:
    """What is sent to an address that is not there is seen in the log."""
    client.post("/embeddings/generate", content=b"hello")

    last = entries(log)[-1]
    assert (last["path"], last["body"], last["status"]) == ("/embeddings/generate", "hello", 404)


@pytest.mark.parametrize(
    ("host", "status"), [("localhost:1", 200), ("127.0.0.1", 200), ("evil.example", 400)]
)
def test_it_answers_to_its_own_names_only(venice: LocalVenice, host: str, status: int) -> None:
    """A page in a browser, reached by a name that was made to point here, gets no answer."""
    assert status == httpx.get(f"{venice.base_url}/models", headers={"Host": host}).status_code


def test_it_answers_to_names_that_are_allowed() -> None:
    """Names that the operator adds are answered, in any case, and others still are not."""
    command = [sys.executable, "-m", "sanctum_venice_tools.emulator", "--until-stdin-closes"]
    command += ["--allow-host", "venice.example", "--allow-host", "other.example"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip() + "/models"
        hosts = [
            "venice.example",
            "Other.Example:80",
            "127.0.0.1",
            "evil.example",
            "a.venice.example",
        ]
        statuses = [httpx.get(url, headers={"Host": host}).status_code for host in hosts]
        process.terminate()

    assert [200, 200, 200, 400, 400] == statuses


@pytest.mark.parametrize(
    "name", ["*", "*.example", "venice.example:80", "http://venice.example", ""]
)
def test_it_refuses_what_is_no_name(name: str) -> None:
    """A pattern, a port or an address is a mistake that is explained."""
    with pytest.raises(click.UsageError, match="is no name of a host") as refused:
        emulator.make_context("emulator", ["--allow-host", name])

    assert "write it like letta.example.org" in refused.value.message


def test_what_is_no_name_ends_it() -> None:
    """Such a mistake ends the process before it serves anybody, and is told in one line."""
    command = [sys.executable, "-m", "sanctum_venice_tools.emulator", "--allow-host", "*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert (2, "") == (done.returncode, done.stdout)
    assert "is no name of a host: write it like letta.example.org" in " ".join(done.stderr.split())


def test_it_ends_with_its_block() -> None:
    """After the block the process is gone."""
    with running_venice() as venice:
        assert httpx.get(venice.base_url + "/models").status_code == 200

    assert not psutil.pid_exists(venice.pid)


def test_it_ends_with_a_caller_that_is_killed() -> None:
    """A caller that is killed without warning takes it along."""
    program = textwrap.dedent("""
        import time
        from sanctum_venice_tools.emulator.process import running_venice
        with running_venice() as venice:
            print(venice.pid, flush=True)
            time.sleep(60)
    """)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as caller:
        assert caller.stdout
        pid = int(caller.stdout.readline())
        assert psutil.pid_exists(pid)
        os.kill(caller.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while alive(pid) and time.monotonic() < deadline:
            time.sleep(0.05)

    assert not alive(pid)


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be taken note of does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_address_is_printed_first() -> None:
    """The command prints its base URL, and ends quietly on Ctrl-C."""
    command = [sys.executable, "-m", "sanctum_venice_tools.emulator", "--key", "another"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        status = httpx.get(
            url + "/characters", headers={"Authorization": "Bearer another"}
        ).status_code
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)

    assert url.startswith("http://127.0.0.1:")
    assert (status, process.returncode, errors) == (200, 0, "")


def test_it_is_a_command_of_the_pack() -> None:
    """`sanctum-venice emulator` takes the same options."""
    command = [sys.executable, "-m", "sanctum_venice_tools.cli", "emulator", "--help"]

    ended = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "--allow-faults" in ended.stdout


def test_bad_script_stops_the_start(tmp_path: Path) -> None:
    """A script that cannot be read is told in one line."""
    script = tmp_path / "script.json"
    script.write_text("[")
    command = [sys.executable, "-m", "sanctum_venice_tools.emulator", "--script", str(script)]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    with pytest.raises(RuntimeError, match="did not start"), running_venice(script=script):
        pass
