"""Secrets are planted in every test, and searched for in all that comes out of it.

What is planted: the key of the local Venice, which is one of a kind here, whatever a test has in
VENICE_API_KEY, LETTA_API_KEY and VENICE_MEDIA_TOKEN, and the keys that tools have Venice make. Where they are looked
for: the replies and errors of tools, the output of commands and of processes, logs, and the files
that a test leaves. A test that is to show a key says so, and why, by the mark `shows_secrets`.
"""

import functools
import os
import re
import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sanctum_venice_tools.emulator.process import running_venice

LOCAL_KEY = "venice-key-that-nobody-may-see-8d21"
MADE_KEY = re.compile(r"VENICE_(INFERENCE|ADMIN)_KEY_[\w-]{20,}")
SHORTEST = 8

# Where a secret has its place: a private file, the key of a Letta server's database beside it, and
# the file in which Letta Code keeps keys.
PRIVATE = {".private", "encryption-key", "postgres", "auth.json"}
LARGEST = 2 << 20

allowed = False


class SecretShownError(AssertionError):
    """A secret came out where anybody could read it."""


def plant() -> None:
    """Let each local Venice that tests start have the key that is looked for."""
    vars(running_venice)["__wrapped__"].__kwdefaults__["key"] = LOCAL_KEY


def search(text: Any, where: str) -> None:
    """Fail where a secret is in a text, or in bytes.

    Raises:
        SecretShownError: There is one; which, is told by its end.
    """
    if allowed or not text:
        return
    told = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
    for secret in _planted():
        if secret in told:
            raise SecretShownError(f"a secret (...{secret[-4:]}) came out in {where}")
    if made := MADE_KEY.search(told):
        raise SecretShownError(f"a key that was made (...{made[0][-4:]}) came out in {where}")


@contextmanager
def shown() -> Iterator[None]:
    """Look for nothing in a block that is to show a key, in a fixture or within a test."""
    global allowed  # noqa: PLW0603  # as below
    before, allowed = allowed, True
    try:
        yield
    finally:
        allowed = before


def _planted() -> Iterator[str]:
    """The secrets of this moment."""
    yield LOCAL_KEY
    for name in ("VENICE_API_KEY", "LETTA_API_KEY", "VENICE_MEDIA_TOKEN"):
        secret = os.environ.get(name, "").strip()
        if len(secret) >= SHORTEST:
            yield secret


def searched(tool: Callable[..., str]) -> Callable[..., str]:
    """A tool whose every reply and error is looked through; a partial, as the tool itself is."""
    return functools.wraps(tool)(functools.partial(_call_searched, tool))


def _call_searched(tool: Callable[..., str], *args: Any, **kwargs: Any) -> str:
    """Call a tool, and look through its reply or error."""
    try:
        reply = tool(*args, **kwargs)
    except Exception as error:
        search(error, "a tool's error")
        raise
    search(reply, "a tool's reply")
    return reply


def search_files(folder: Path) -> None:
    """Look through the files that a test leaves, but for those in which a secret has its place."""
    for path in folder.rglob("*"):
        if PRIVATE & set(path.relative_to(folder).parts):
            continue
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST:
            search(path.read_bytes(), f"the file {path.name}")


# --- what pytest calls ---


@pytest.fixture(autouse=True, scope="session")
def searched_processes() -> Iterator[None]:
    """Look through what processes and commands print, whoever starts them."""
    communicate, invoke = subprocess.Popen.communicate, CliRunner.invoke

    @functools.wraps(communicate)
    def communicate_searched(process: Any, *args: Any, **kwargs: Any) -> Any:
        outputs = communicate(process, *args, **kwargs)
        for output in outputs:
            search(output, "what a process printed")
        return outputs

    @functools.wraps(invoke)
    def invoke_searched(runner: CliRunner, *args: Any, **kwargs: Any) -> Any:
        result = invoke(runner, *args, **kwargs)
        search(result.output, "what a command printed")
        search(result.exception, "an exception of a command")
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess.Popen, "communicate", communicate_searched)
        patch.setattr(CliRunner, "invoke", invoke_searched)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Look for nothing in a test that is to show a key."""
    global allowed  # noqa: PLW0603  # what is searched is reached from everywhere
    allowed = item.get_closest_marker("shows_secrets") is not None
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Look through what was printed and logged, and the files that are left, while the test's environment is there."""
    report = yield
    if call.when != "call" or not report.passed:
        return report
    try:
        for name, content in report.sections:
            search(content, name)
        if folder := getattr(item, "funcargs", {}).get("tmp_path"):
            search_files(folder)
    except SecretShownError as shown:
        report.outcome = "failed"
        report.longrepr = str(shown)
    return report
