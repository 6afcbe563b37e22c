"""The `sanctum-venice` command: which commands there are."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sanctum_venice_tools import cli
from sanctum_venice_tools.cli import main, register

PROJECT = Path(__file__).resolve().parents[2]


def test_help_loads_no_command() -> None:
    """The list of commands comes at once: nothing is loaded that would make a person wait."""
    program = (
        "import sys, atexit; from sanctum_venice_tools.cli import main\n"
        "atexit.register(lambda: print('slow:', {'letta_client', 'rich', 'httpx'} & set(sys.modules)))\n"
        "main(['--help'])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout

    assert "slow: set()" in shown
    assert all(name in shown for name in cli._COMMANDS)


@pytest.mark.parametrize("name", cli._COMMANDS)
def test_summary_is_how_the_command_begins(name: str) -> None:
    """What --help says of a command is the beginning of what the command says of itself."""
    command = main.get_command(click.Context(main), name)
    assert command
    assert command.name == name
    summary = cli._COMMANDS[name][1].rstrip(".")

    assert (command.help or "").replace("\n", " ").startswith(summary)


def with_its_own(words: tuple[str, ...], command: click.Command) -> Iterator[tuple[str, ...]]:
    """The words of a command, and of each of its own; the tools of `run` are none of them."""
    yield words
    if isinstance(command, click.Group) and words != ("run",):
        for name, own in command.commands.items():
            yield from with_its_own((*words, name), own)


@pytest.mark.parametrize("name", cli._COMMANDS)
def test_help_fits_a_terminal(name: str) -> None:
    """What --help says has at most 80 columns, examples too, and no sentence is cut off."""
    command = main.get_command(click.Context(main), name)
    assert command
    for words in with_its_own((name,), command):
        shown = CliRunner().invoke(main, [*words, "--help"], terminal_width=80).stdout
        usage, *rest = shown.splitlines()

        assert usage.startswith("Usage: ")
        assert [] == [line for line in rest if len(line) > 80 or line.endswith("...")]


UNPRINTED = "the output can't be written (No space left on device); what was done before is done"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device is Linux's")
@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["register", "--help"],
        ["register", "--list"],
        ["register", "--list", "--json"],
        ["register", "--show", "venice_make_video"],
        ["doctor"],
    ],
    ids=" ".join,
)
def test_an_output_that_is_full_ends_it_in_one_line(words: list[str]) -> None:
    """The line says why nothing was printed, and that what was done is not undone; the status tells scripts."""
    settings = {"VENICE_BASE_URL": "none", "LETTA_BASE_URL": ""}
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sanctum_venice_tools.cli", *words],
            env=os.environ | settings,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (4, f"Error: {UNPRINTED}\n") == (done.returncode, done.stderr)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device is Linux's")
@pytest.mark.parametrize(
    "words",
    [
        ["register_tools.py", "--list"],
        ["configure_provider.py", "--help"],
        ["build_schemas.py", "--help"],
        ["distil_openapi.py", "--help"],
    ],
    ids=" ".join,
)
def test_a_script_ends_as_the_command_does_where_its_output_is_full(words: list[str]) -> None:
    """A script of a clone has the same line and the same status, and no traceback."""
    script, *rest = words
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, PROJECT / "scripts" / script, *rest],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (4, f"Error: {UNPRINTED}\n") == (done.returncode, done.stderr)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device is Linux's")
@pytest.mark.parametrize("output", [">/dev/full 2>&1", ">/dev/full 2>&-"])
def test_the_status_tells_where_the_line_can_t_be_printed_either(output: str) -> None:
    """A full log of all that is printed, errors too, leaves the status alone to tell of it."""
    command = [sys.executable, "-m", "sanctum_venice_tools.cli", "register", "--list"]
    done = subprocess.run(["/bin/sh", "-c", f"{shlex.join(command)} {output}"], check=False)

    assert 4 == done.returncode


def test_another_fault_of_the_system_is_not_taken_for_the_outputs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the output is well, the fault is told as it is."""

    def fail(_name: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(register, "read_record", fail)
    ended = CliRunner().invoke(main, ["register", "--show", "venice_speak"])

    assert isinstance(ended.exception, OSError)
    assert "" == ended.stderr


# The command, run where a package is not installed.
WITHOUT_PACKAGE = """
import sys
from sanctum_venice_tools.cli import main

class Missing:
    def find_spec(name, *place):
        if name == sys.argv[1]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing)
main(sys.argv[2:])
"""


@pytest.mark.parametrize("lacking", ["psutil", "sqlalchemy", "uvicorn", "websockets"])
def test_demo_without_its_packages_says_what_to_install(lacking: str) -> None:
    """Its --help is shown all the same; the demo itself, in each form, ends with one line before anything runs."""

    def demo(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", WITHOUT_PACKAGE, lacking, "demo", *options]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    said = f"Error: The demo needs the package {lacking}: install sanctum-venice-tools[local]\n"
    assert 0 == demo("--help").returncode
    for ended in (demo(), demo("--letta-code"), demo("--gallery")):
        assert (1, "", said) == (ended.returncode, ended.stdout, ended.stderr)


@pytest.mark.parametrize("name", cli._COMMANDS)
def test_help_tells_of_nothing_that_only_a_clone_has(name: str) -> None:
    """Its examples can be typed where the pack is installed from a wheel, without scripts and a Makefile."""
    shown = CliRunner().invoke(main, [name, "--help"]).stdout

    assert "scripts/" not in shown
    assert "make " not in shown.partition("Examples:")[2]


@pytest.mark.parametrize("script", ["register_tools", "configure_provider", "build_schemas"])
def test_a_script_with_another_python_says_which_to_use(script: str) -> None:
    """A Python that lacks the packages ends a script with one line, and the status of wrong usage."""
    command = [sys.executable, "-S", str(PROJECT / "scripts" / f"{script}.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (2, "") == (done.returncode, done.stdout)
    (line,) = done.stderr.splitlines()
    assert line.endswith("Use .venv/bin/python, which `make demo` sets up.")
