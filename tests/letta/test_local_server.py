# The whole of a process is what is tested here, so the tests start programs and reach for what is
# private; and they compare as the house does: what is expected comes first.
"""The local Letta server: its life, what it inherits, and what remains of it."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from click.testing import CliRunner
from rich.console import Console

from sanctum_venice_tools import cli
from sanctum_venice_tools.demo import on_letta
from sanctum_venice_tools.letta import local_server
from sanctum_venice_tools.letta.local import environment as environments
from sanctum_venice_tools.letta.local.environment import Environment
from sanctum_venice_tools.letta.local.waiting import Ticker
from sanctum_venice_tools.letta.local_server import (
    LocalProgramError,
    installation,
    lifecycle,
    spawning,
    state,
)
from sanctum_venice_tools.terminal import Progress

# Answers like the real one within a tenth of a second. With FAIL set it dies like the real one.
STAND_IN = """
import argparse, http.server, os, signal, socket, sys, threading
parser = argparse.ArgumentParser()
parser.add_argument("--home")
parser.add_argument("--listen-fd", type=int)
parser.add_argument("--caller-fd", type=int)
parser.add_argument("--allow-host", action="append")
options = parser.parse_args()
if "FAIL" in os.environ:
    print("LOG: something went wrong")
    print("== failed: RuntimeError: the disk is full")
    print("== Stopping PostgreSQL", flush=True)
    sys.exit(1)
if "STUBBORN" in os.environ:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "STOP" in os.environ:
    print("== Stopping PostgreSQL")
    print("LOG: database system is shut down")
    print("== Stopped as told", flush=True)
    sys.exit(0)

class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"version": "stand-in", "status": "ok"}')

server = http.server.HTTPServer(("127.0.0.1", 0), Health, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=options.listen_fd)
server.socket.listen()
if options.caller_fd is not None:
    threading.Thread(target=lambda: (os.read(options.caller_fd, 1), os._exit(0)), daemon=True).start()
server.serve_forever()
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home whose server is the stand-in; what is left in it is stopped."""
    script = tmp_path / "letta" / "server_process" / "__main__.py"
    script.parent.mkdir(parents=True)
    script.write_text(STAND_IN)
    for room in (spawning, state):
        monkeypatch.setattr(room, "SERVER_PROCESS", script)
    monkeypatch.setattr(lifecycle, "install", lambda _progress: Path(sys.executable))
    home = tmp_path / "home"
    yield home
    local_server.stop(home)


def wait_until_gone(pid: int, seconds: float = 20.0) -> bool:
    """Whether the process is gone within that time."""
    return not psutil.wait_procs(
        [psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=seconds
    )[1]


def test_start_status_stop(stand_in: Path) -> None:
    """A server is running between start and stop, and not before or after."""
    before = local_server.status(stand_in)
    server = local_server.start(stand_in)
    meanwhile = local_server.status(stand_in)
    stopped = local_server.stop(stand_in)

    assert (None, server, True) == (before, meanwhile, stopped)
    assert (None, False) == (local_server.status(stand_in), local_server.stop(stand_in))
    assert not psutil.pid_exists(server.pid)


def test_another_way_to_the_same_folder(stand_in: Path) -> None:
    """A server is found by its folder, whether a link leads there or a path goes up and down again."""
    server = local_server.start(stand_in)
    link = stand_in.with_name("link")
    link.symlink_to(stand_in)
    detour = stand_in / "tools" / ".." / ".." / stand_in.name

    assert [server, server] == [local_server.status(link), local_server.start(detour)]
    assert local_server.stop(link)
    assert not psutil.pid_exists(server.pid)


def test_another_installation_knows_the_server(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that another installation of the pack started is told of, and stopped, like one's own."""
    server = local_server.start(stand_in)
    clone = tmp_path / "clone" / "letta" / "server_process" / "__main__.py"
    for room in (spawning, state):
        monkeypatch.setattr(room, "SERVER_PROCESS", clone)

    assert [server, server] == [local_server.status(stand_in), local_server.start(stand_in)]
    assert local_server.stop(stand_in)
    assert not psutil.pid_exists(server.pid)


def test_state_of_a_held_home_is_kept(stand_in: Path) -> None:
    """As long as a server holds the home, what is known of it stays, though its process is not recognised."""
    stand_in.mkdir()
    kept = stand_in / "state.json"
    kept.write_text(json.dumps({"pid": os.getpid(), "port": 1, "version": "0.16.8"}))
    with (stand_in / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        local_server.stop(stand_in)
        while_held = kept.exists()
    local_server.stop(stand_in)

    assert (True, False) == (while_held, kept.exists())


def test_second_start_returns_the_first(stand_in: Path) -> None:
    """Starting what runs already changes nothing, and says so."""
    said: list[str] = []

    first = local_server.start(stand_in)
    second = local_server.start(stand_in, progress=said.append)

    assert first == second
    assert [
        f"The Letta server is already running at {first.base_url}; stop it to change how it runs"
    ] == said


def test_concurrent_starts_make_one_server(stand_in: Path) -> None:
    """Of several starts at the same time one starts the server, and the others wait for it."""
    found: list[local_server.LocalServer] = []
    starts = [
        threading.Thread(target=lambda: found.append(local_server.start(stand_in)))
        for _ in range(4)
    ]
    for start in starts:
        start.start()
    for start in starts:
        start.join()

    assert [found[0]] * 4 == found


def test_given_port_is_used(stand_in: Path) -> None:
    """The server listens where it was told to."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    assert f"http://127.0.0.1:{port}" == local_server.start(stand_in, port=port).base_url


def test_taken_port_is_one_line(stand_in: Path) -> None:
    """A port in use is refused before anything is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            LocalProgramError,
            match=rf"^Port {port} of 127.0.0.1 cannot be used: .*; name another one$",
        ):
            local_server.start(stand_in, port=port)

    assert local_server.status(stand_in) is None


def test_death_at_start_is_explained(stand_in: Path) -> None:
    """When the server dies at its start, the error is its own reason and the log's path, and nothing stays behind."""
    with pytest.raises(LocalProgramError) as caught:
        local_server.start(stand_in, environment={"FAIL": "1"})

    log = stand_in / "server.log"
    assert (
        f"The Letta server ended at its start: RuntimeError: the disk is full (log: {log})"
        == str(caught.value)
    )
    assert not (stand_in / "state.json").exists()


def test_stop_during_start_is_explained(stand_in: Path) -> None:
    """Whoever waits for a server that somebody else stops learns just that."""
    with pytest.raises(
        LocalProgramError,
        match=r"^The Letta server ended at its start: it was told to stop \(log: .*",
    ):
        local_server.start(stand_in, environment={"STOP": "1"})


def test_stubborn_server_is_ended_by_force(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not end when told to is killed after a while."""
    monkeypatch.setattr(lifecycle, "_STOP_SECONDS", 0.5)
    server = local_server.start(stand_in, environment={"STUBBORN": "1"})

    assert (True, False) == (local_server.stop(stand_in), psutil.pid_exists(server.pid))


def test_unusable_home_is_one_line(tmp_path: Path) -> None:
    """A home that cannot be a folder is named."""
    (tmp_path / "home").touch()

    with pytest.raises(
        LocalProgramError, match=r"^The folder .*/home cannot be used: File exists$"
    ):
        local_server.start(tmp_path / "home")


def test_stale_state_is_recognised(stand_in: Path) -> None:
    """An id that belongs to another program by now is neither reported nor stopped."""
    stand_in.mkdir()
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with other:
        (stand_in / "state.json").write_text(
            json.dumps({"pid": other.pid, "port": 1, "version": "0.16.8"})
        )

        assert (None, False) == (local_server.status(stand_in), local_server.stop(stand_in))
        assert other.poll() is None
        other.kill()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', '{"other": 1}'])
def test_broken_state_is_no_server(stand_in: Path, text: str) -> None:
    """A state file that cannot be read means that no server is known."""
    stand_in.mkdir()
    (stand_in / "state.json").write_text(text)

    assert local_server.status(stand_in) is None


def test_abandoned_start_is_joined(stand_in: Path) -> None:
    """A server whose starter was killed before it answered is taken over by the next start."""
    server = local_server.start(stand_in)
    state = json.loads((stand_in / "state.json").read_text())
    (stand_in / "state.json").write_text(json.dumps({**state, "version": None}))

    assert (None, server) == (local_server.status(stand_in), local_server.start(stand_in))


@pytest.mark.parametrize("act", [local_server.start, local_server.stop], ids=["start", "stop"])
def test_killed_server_is_taken_note_of(stand_in: Path, act: Callable[[Path], object]) -> None:
    """Of a server that was killed the system keeps a trace, until the next start or stop takes note of its end."""
    server = local_server.start(stand_in)
    os.kill(server.pid, signal.SIGKILL)
    while psutil.Process(server.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)

    act(stand_in)

    assert not psutil.pid_exists(server.pid)


def test_state_and_log_are_private(stand_in: Path) -> None:
    """Only the owner may read the state and the log."""
    local_server.start(stand_in)

    modes = {
        name: (stand_in / name).stat().st_mode & 0o777 for name in ("state.json", "server.log")
    }
    assert {"state.json": 0o600, "server.log": 0o600} == modes


def test_last_log_is_kept(stand_in: Path) -> None:
    """The log of the start before stands beside the new one."""
    with pytest.raises(LocalProgramError):
        local_server.start(stand_in, environment={"FAIL": "1"})
    local_server.start(stand_in)

    assert "the disk is full" in (stand_in / "server.log.1").read_text()
    assert "the disk is full" not in (stand_in / "server.log").read_text()


@pytest.mark.slow
def test_tied_server_ends_with_a_killed_caller(stand_in: Path) -> None:
    """A server that is tied to its caller ends even when the caller is killed outright."""
    program = f"""
import sys, time
from pathlib import Path
from sanctum_venice_tools.letta import local_server
from sanctum_venice_tools.letta.local_server import lifecycle, spawning, state
spawning.SERVER_PROCESS = state.SERVER_PROCESS = Path({str(state.SERVER_PROCESS)!r})
lifecycle.install = lambda progress: Path(sys.executable)
print(local_server.start(Path({str(stand_in)!r}), tied_to_caller=True).pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as caller:
        assert caller.stdout is not None
        pid = int(caller.stdout.readline())
        caller.kill()

    assert wait_until_gone(pid)


def test_keys_do_not_leak_into_the_server(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the caller's variables the server gets the harmless ones and those handed over, and no others."""
    for name in ("VENICE_API_KEY", "OPENAI_API_KEY", "LETTA_API_KEY", "PYTHONPATH", "E2B_API_KEY"):
        monkeypatch.setenv(name, "the user's own")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")

    server = local_server.start(stand_in, environment={"OPENAI_API_KEY": "handed over"})
    seen = psutil.Process(server.pid).environ()

    assert "handed over" == seen.pop("OPENAI_API_KEY")
    assert "the user's own" not in seen.values()
    assert (os.environ["PATH"], "http://proxy.example") == (seen["PATH"], seen["HTTPS_PROXY"])
    assert str(stand_in / "home") == seen["HOME"]


@pytest.mark.parametrize(
    ("upper", "lower", "kept"),
    [
        ("intern.example", None, "intern.example,127.0.0.1,localhost,::1"),
        ("", "intern.example", "intern.example,127.0.0.1,localhost,::1"),
        ("other.example", "intern.example", "intern.example,127.0.0.1,localhost,::1"),
        (None, None, "127.0.0.1,localhost,::1"),
        ("*", None, "*"),
    ],
)
def test_a_server_reaches_this_machine_and_the_operator_s_hosts_without_a_proxy(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch, upper: str | None, lower: str | None, kept: str
) -> None:
    """Whichever of the two names a program reads first, it finds the operator's list and this machine's names."""
    for name, value in (("NO_PROXY", upper), ("no_proxy", lower)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)

    server = local_server.start(stand_in)
    seen = psutil.Process(server.pid).environ()

    assert (kept, kept) == (seen["NO_PROXY"], seen["no_proxy"])


@pytest.mark.slow
def test_progress_is_never_silent_for_two_seconds() -> None:
    """While something takes its time, a line with the seconds so far comes every second."""
    said: list[tuple[float, str]] = []
    ticker = Ticker(lambda line: said.append((time.monotonic(), line)))
    begin = time.monotonic()
    while time.monotonic() - begin < 2.5:
        ticker.tick("Waiting")
        time.sleep(0.05)

    assert ["Waiting ... 0 s", "Waiting ... 1 s", "Waiting ... 2 s"] == [line for _, line in said]


def test_unfit_python_is_named() -> None:
    """A Python that Letta does not run on is refused in one line."""
    with pytest.raises(
        LocalProgramError,
        match=r"^The Letta server needs Python 3\.11 to 3\.13, and this is 3\.14; .*",
    ):
        installation._check_python((3, 14))


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that is quickly "installed": a folder with a Python that is a mere file."""
    folder = tmp_path / "environment"

    def install_packages(wanted: Environment, _progress: Callable[[str], None]) -> None:
        wanted.python.parent.mkdir(parents=True)
        wanted.python.touch()
        (folder / "pyvenv.cfg").touch()

    monkeypatch.setattr(installation, "ENVIRONMENT", folder)
    monkeypatch.setattr(environments, "_install_packages", install_packages)
    return folder


def test_whole_environment_is_kept(environment: Path) -> None:
    """An environment that is whole and of these pins is not made again."""
    installation.install(lambda _: None)
    (environment / "witness").touch()
    installation.install(lambda _: None)

    assert (environment / "witness").exists()


def test_half_an_environment_is_made_again(environment: Path) -> None:
    """An installation that was cut short is thrown away and done again."""
    installation.install(lambda _: None)
    (environment / "installed-from").unlink()
    (environment / "witness").touch()
    installation.install(lambda _: None)

    assert (False, True) == (
        (environment / "witness").exists(),
        (environment / "installed-from").exists(),
    )


def test_new_pins_make_a_new_environment(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changed requirements are installed into a fresh folder."""
    installation.install(lambda _: None)
    (environment / "witness").touch()
    pins = tmp_path / "pins.txt"
    pins.write_text("letta==0.16.9\n")
    monkeypatch.setattr(installation, "_REQUIREMENTS", pins)
    installation.install(lambda _: None)

    assert not (environment / "witness").exists()


def test_foreign_folder_is_not_removed(environment: Path) -> None:
    """A folder that is no environment of ours is left alone."""
    environment.mkdir()
    (environment / "thesis.txt").touch()

    with pytest.raises(LocalProgramError, match="is not an environment of ours"):
        installation.install(lambda _: None)
    assert (environment / "thesis.txt").exists()


def test_failed_installation_is_explained(tmp_path: Path) -> None:
    """An installer that fails gives its reason and the log's path."""
    log_path = tmp_path / "install.log"
    command = [sys.executable, "-c", "import sys; print('error: no route to host'); sys.exit(2)"]
    with log_path.open("w") as log, pytest.raises(LocalProgramError) as caught:
        environments._run_watched(command, log, "Installing", Ticker(lambda _: None))

    assert f"Installing failed: error: no route to host (log: {log_path})" == str(caught.value)


def test_system_certificates_are_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom this machine trusts is trusted by uv, a company's own authority too, unless the user says otherwise."""
    log_path = tmp_path / "install.log"
    command = [sys.executable, "-c", "import os; print(os.environ['UV_SYSTEM_CERTS'])"]
    monkeypatch.delenv("UV_SYSTEM_CERTS", raising=False)
    with log_path.open("w") as log:
        environments._run_watched(command, log, "Installing", Ticker(lambda _: None))
        monkeypatch.setenv("UV_SYSTEM_CERTS", "false")
        environments._run_watched(command, log, "Installing", Ticker(lambda _: None))

    assert ["true", "false"] == log_path.read_text().split()


def test_demos_at_once_share_no_server(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each demo has a server of its own: the first that ends leaves the other's alone, and nothing stays behind."""
    monkeypatch.setattr(local_server, "DEFAULT_HOME", stand_in / "letta")
    progress = Progress(Console())
    with on_letta._letta(progress) as longer:
        with on_letta._letta(progress) as shorter:
            pass

        assert 200 == httpx.get(longer.base_url).status_code
        assert longer.base_url != shorter.base_url

    assert [] == list(stand_in.iterdir())


def test_command_starts_reports_and_stops(stand_in: Path) -> None:
    """The command starts the server, tells scripts about it, and stops it."""
    home = ["--home", str(stand_in)]
    run = CliRunner().invoke

    started = run(cli.main, ["letta", "start", *home, "--env", "A=b", "--json"])
    reported = run(cli.main, ["letta", "status", *home, "--json"])
    stopped = run(cli.main, ["letta", "stop", *home])
    reported_after = run(cli.main, ["letta", "status", *home])

    facts = json.loads(started.stdout)
    assert {"running": True, "version": "stand-in", "home": str(stand_in)}.items() <= facts.items()
    assert (0, facts) == (reported.exit_code, json.loads(reported.stdout))
    assert (0, "The Letta server has stopped.\n") == (stopped.exit_code, stopped.stdout)
    assert (1, "The Letta server is not running.\n") == (
        reported_after.exit_code,
        reported_after.stdout,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "sk-secret"], "write NAME=VALUE"),
        (["--pass", "NOT_SET_ANYWHERE"], "NOT_SET_ANYWHERE is not set here"),
    ],
    ids=["no value", "not set"],
)
def test_command_refuses_mistakes_without_repeating_keys(
    stand_in: Path, arguments: list[str], message: str
) -> None:
    """A mistake in an option is explained, and what may be a key is not repeated."""
    result = CliRunner().invoke(cli.main, ["letta", "start", "--home", str(stand_in), *arguments])

    assert (2, True, False) == (
        result.exit_code,
        message in result.stderr,
        "sk-secret" in result.output,
    )


def test_command_shows_no_traceback(stand_in: Path) -> None:
    """A server that cannot start is one line on standard error."""
    result = CliRunner().invoke(
        cli.main, ["letta", "start", "--home", str(stand_in), "--env", "FAIL=1"]
    )

    assert 1 == result.exit_code
    assert result.stderr.splitlines()[-1].startswith(
        "Error: The Letta server ended at its start: RuntimeError"
    )


# --- The real server

LOOK = "import os\n\ndef look():\n    return os.getcwd()\n"
LOOK_SCHEMA = {
    "name": "look",
    "description": "Look.",
    "parameters": {"type": "object", "properties": {}},
}


def run_look(base_url: str) -> str:
    """Run the tool that tells its folder."""
    body = {"source_code": LOOK, "args": {}, "name": "look", "json_schema": LOOK_SCHEMA}
    return str(
        httpx.post(f"{base_url}/v1/tools/run", json=body, timeout=60)
        .raise_for_status()
        .json()["tool_return"]
    )


def database_processes(home: Path) -> list[int]:
    """The PostgreSQL servers of this home."""
    data = str(home / "postgres")
    return [p.pid for p in psutil.process_iter(["cmdline"]) if data in (p.info["cmdline"] or [])]


def status_by_name(base_url: str, host: str) -> int:
    """What a server answers when it is called by a name."""
    return httpx.get(f"{base_url}/v1/health/", headers={"Host": host}, timeout=30).status_code


def kill_at_first_start(home: Path) -> bool:
    """Kill a server, and whoever starts it, while it sets up its database; whether that ends as well."""
    caller = [sys.executable, "-c", "import sys; from pathlib import Path"]
    caller[-1] += (
        "; from sanctum_venice_tools.letta import local_server; local_server.start(Path(sys.argv[1]))"
    )
    with subprocess.Popen([*caller, str(home)]) as starting:
        while not database_processes(home):
            time.sleep(0.02)
        pid = json.loads((home / "state.json").read_text())["pid"]
        starting.kill()
    return kill(pid, home)


def kill(pid: int, home: Path) -> bool:
    """Kill a server outright; whether its database ends as well."""
    os.kill(pid, signal.SIGKILL)
    return all(wait_until_gone(database) for database in database_processes(home))


def make_block(base_url: str) -> str:
    """Put something into a server's database; its id."""
    block = {"label": "human", "value": "likes tea"}
    made = httpx.post(f"{base_url}/v1/blocks/", json=block, timeout=30).raise_for_status()
    return str(made.json()["id"])


def value_of(block: str, base_url: str) -> str:
    """What stands in a block."""
    found = httpx.get(f"{base_url}/v1/blocks/{block}", timeout=30).raise_for_status()
    return str(found.json()["value"])


@pytest.mark.server
def test_real_server_keeps_its_data_and_recovers_from_being_killed(tmp_path: Path) -> None:
    """The real server, under a deep path with a space, runs tools in its home; a restart finds what was made.

    Killed outright, at its first start and when it runs, it takes its database with it, and starts again.
    """
    home = tmp_path / ("deep " * 30) / "home"
    ends = [kill_at_first_start(home)]
    try:
        first = local_server.start(home, tied_to_caller=True)
        folder = run_look(first.base_url)
        block = make_block(first.base_url)
        models = httpx.get(f"{first.base_url}/v1/models/", timeout=30).json()
        local_server.stop(home)
        left_after_stop = database_processes(home)

        second = local_server.start(home, tied_to_caller=True, allowed_hosts=["letta.example"])
        names = {
            name: status_by_name(second.base_url, name)
            for name in ("letta.example", "localhost", "evil.example")
        }
        found = [value_of(block, second.base_url)]
        ends.append(kill(second.pid, home))

        third = local_server.start(home, tied_to_caller=True)
        found.append(value_of(block, third.base_url))
        folder_after_all = run_look(third.base_url)
    finally:
        local_server.stop(home)

    assert [True, True] == ends
    assert [str(home / "tools")] * 2 == [folder, folder_after_all]
    assert ["likes tea"] * 2 == found
    assert {"letta.example": 200, "localhost": 200, "evil.example": 400} == names
    # Above all not letta/letta-free, which sends prompts away.
    assert [] == [model["handle"] for model in models]
    assert [] == left_after_stop
    assert [] == database_processes(home)
