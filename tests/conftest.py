"""What all tests stand on: no real key, no real server, and tools that are what ships: their emitted texts."""

import dataclasses
import functools
import inspect
import os
import re
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from importlib import import_module
from inspect import Parameter
from pathlib import Path
from types import CodeType
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings

from sanctum_venice_tools.emulator.process import LocalVenice, running_venice
from sanctum_venice_tools.loading import quick_loading
from sanctum_venice_tools.packing import record
from sanctum_venice_tools.packing.bundle import bundle, tool_files
from sanctum_venice_tools.packing.schema import typed_schema_of
from tests.scheduling import (
    Scheduling,
    pytest_collection_modifyitems,  # noqa: F401  # pytest looks for it here
)
from tests.secrets_search import (
    plant,
    pytest_runtest_makereport,  # noqa: F401  # likewise
    pytest_runtest_protocol,  # noqa: F401  # likewise
    searched,
    searched_processes,  # noqa: F401  # likewise
)

plant()

SHARED = Path(__file__).resolve().parents[2] / "shared"
"""Venice's own published documents, where they lie beside the project."""

# How many examples Hypothesis draws: `make test` takes few, and the same ones at each run; `make
# test-deep` takes many, and others each time.
ANY_PACE = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    print_blob=True,
)
settings.register_profile("quick", ANY_PACE, max_examples=25, derandomize=True)
settings.register_profile("deep", ANY_PACE, max_examples=500)
settings.load_profile("quick")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """How tests are shared out among workers."""
    return Scheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers more than there are cores: some tests wait for a server, and leave their core to others."""
    return (os.cpu_count() or 1) + 2


# What `make check` says, for one: no test of this mark, and none of that one.
LEAVES_OUT = r"not \w+( and not \w+)*"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for garbage only among what the tests make: what collecting them makes stays until the end.

    It is some 700,000 objects, among which Python would search in vain, again and again.
    """
    with quick_loading():
        return (yield)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Whether `-m` leaves out all tests of a module: then it is not even read, nor is what it imports."""
    selection = config.getoption("-m")
    if collection_path.suffix != ".py" or not re.fullmatch(LEAVES_OUT, selection):
        return None
    text = collection_path.read_text(encoding="utf-8")
    marked = re.search(r"^pytestmark = \[?\s*pytest\.mark\.(\w+)", text, re.MULTILINE)
    return True if marked and marked[1] in selection.split() else None


class Clock:
    """Stands in for the module `time`: sleeping takes no time, but is written down, and nothing else takes any."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """When this clock was made, and the time that was slept."""
        return self.start + sum(self.slept)

    def time(self) -> float:
        """A moment that does not move by itself."""
        return 1_800_000_000 + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        """Do not sleep."""
        self.slept.append(seconds)


def kept_in(folder: Path) -> list[Path]:
    """All that lies in a media folder, hidden parts too, but for the copies of Venice's lists."""
    return [path for path in folder.iterdir() if path.name != ".models"]


def forget_lists() -> None:
    """Take away the copies of Venice's lists, so that the next call asks anew."""
    shutil.rmtree(Path(os.environ["VENICE_MEDIA_DIR"]) / ".models", ignore_errors=True)


def plain_call(name: str, venice: LocalVenice) -> dict[str, Any]:
    """The arguments of a small call that ends well, from the tool's own tests.

    Each has them as CALL, or has a function CALL that prepares the local Venice for them.
    """
    call: Any = import_module(f"tests.tools.test_{name}").CALL
    return dict(call(venice) if callable(call) else call)


def text_arguments(name: str, texts: Iterator[str]) -> dict[str, str | list[str]]:
    """The next of the texts for each argument of a tool that takes any text, or a list of them."""
    properties = typed_schema_of(name)["parameters"]["properties"]
    arguments: dict[str, str | list[str]] = {}
    for argument, spec in properties.items():
        if spec.get("items") == {"type": "string"}:
            arguments[argument] = [next(texts)]
        elif spec["type"] == "string" and "enum" not in spec:
            arguments[argument] = next(texts)
    return arguments


def objects_needed(name: str) -> dict[str, Any]:
    """An empty object for each argument without which a tool can't be called, and which takes no text."""
    parameters = typed_schema_of(name)["parameters"]
    return {
        one: {}
        for one in parameters["required"]
        if parameters["properties"][one]["type"] == "object"
    }


def meant_by(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What a tool is to get of such arguments: an optional text that says there is none leaves the argument out."""
    tool = getattr(import_module(f"sanctum_venice_tools.tools.{name}"), name)
    defaults = {one.name: one.default for one in inspect.signature(tool).parameters.values()}
    meant = dict(arguments)
    for argument, value in arguments.items():
        if defaults[argument] is not Parameter.empty and value in ("", "null", "None"):
            meant[argument] = defaults[argument]
    return meant


@pytest.fixture(autouse=True)
def own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the environment of whoever runs the tests out of them, and their files in a folder of their own."""
    for name in [name for name in os.environ if name.startswith(("VENICE_", "LETTA_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VENICE_MEDIA_DIR", str(tmp_path / "media"))


@pytest.fixture(autouse=True, scope="session")
def certificates() -> Iterator[None]:
    """Read the certificates once: httpx reads them for each client, in 30 ms, and thousands are made here."""
    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(httpx.create_ssl_context)
        patch.setattr("httpx._transports.default.create_ssl_context", once)
        yield


@functools.cache
def compiled_method(text: str) -> CodeType:
    """A method that Python writes for a data class, ready to run."""
    return compile(text, "<string>", "exec")


def run_compiled(text: str, *spaces: dict[str, Any]) -> None:
    """Run what Python's own `exec` is given, compiled once."""
    exec(compiled_method(text), *spaces)  # noqa: S102  # Python wrote it


@pytest.fixture(autouse=True, scope="session")
def data_classes() -> Iterator[None]:
    """Compile the methods of data classes once: that is most of the time that a tool's text takes to load."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataclasses, "exec", run_compiled, raising=False)
        yield


@functools.cache
def bundled(path: Path, source: bytes) -> str:  # noqa: ARG001  # a file that has changed is read anew
    """A tool's text."""
    return bundle(path)


@pytest.fixture(autouse=True, scope="session")
def texts_of_records() -> Iterator[None]:
    """Bundle a tool's text once, however often its record is read; what it is made of stays as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "bundle", lambda path: bundled(path, path.read_bytes()))
        yield


@functools.cache
def compiled(name: str, text: str) -> CodeType:
    """A tool's text, ready to run."""
    return compile(text, f"{name}.py", "exec")


def space_of(name: str, texts: dict[str, str]) -> dict[str, Any]:
    """What a tool's text defines, in fresh globals as in a fresh process."""
    space: dict[str, Any] = {"__name__": name}
    exec(compiled(name, texts[name]), space)  # noqa: S102  # what ships is what is tested
    return space


@pytest.fixture(scope="session")
def texts() -> dict[str, str]:
    """The emitted text of every tool, by name."""
    return {name: bundle(path) for name, path in tool_files().items()}


@pytest.fixture
def load_tool(texts: dict[str, str]) -> Callable[[str], Callable[..., str]]:
    """Give a tool's function out of its emitted text, in fresh globals as in a fresh process."""

    def load(name: str) -> Callable[..., str]:
        space = space_of(name, texts)
        tool = searched(space[name])
        vars(tool)["__globals__"] = (
            space  # what is called is a partial of the function, which has none of its own
        )
        return tool

    return load


@pytest.fixture(scope="session")
def venice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalVenice]:
    """The local Venice, over a real socket, with faults to order; its log is `venice.jsonl` beside it."""
    with running_venice(
        log=tmp_path_factory.mktemp("venice") / "venice.jsonl", allow_faults=True, job_seconds=0
    ) as running:
        yield running
