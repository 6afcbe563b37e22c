"""The file that says what servers are to have: read as it is meant, and each mistake told with its line."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanctum_venice_tools.letta.agent_keys.account import Limit
from sanctum_venice_tools.letta.register_file import RegisterFileError, read_entries

WHOLE = """
# Ours.
[[register]]
server = "http://localhost:8283/v1/"   # as people paste it
toolsets = ["core", "web"]
approve = "costly,venice_generate_image"
prune = true
agents = ["Scout"]
agent_tags = ["customers"]
secrets = ["VENICE_MEDIA"]
usd_per_month = 20
expires = "2099-12-31"

[[register]]
server = "https://api.letta.com"
key_variable = "CLOUD_KEY"
tools = ["venice_ask_web"]
"""


def write(folder: Path, text: str) -> Path:
    """A file of this text."""
    file = folder / "servers.toml"
    file.write_text(text, encoding="utf-8")
    return file


def mistakes(folder: Path, text: str) -> list[str]:
    """What is told of a text, without the file's name."""
    file = write(folder, text)
    with pytest.raises(RegisterFileError) as told:
        read_entries(file)
    lines = str(told.value).splitlines()
    assert all(line.startswith(str(file)) for line in lines)
    return [line.removeprefix(str(file)).lstrip(",: ") for line in lines]


def test_says_what_each_server_is_to_have(tmp_path: Path) -> None:
    """Each table is a run on one server, with the options of the command by their names."""
    own, cloud = read_entries(write(tmp_path, WHOLE))

    assert ("http://localhost:8283", ["core", "web"]) == (own.server, own.toolsets)
    assert (True, ["Scout"], ["customers"]) == (own.prune, own.agents, own.agent_tags)
    assert (Limit(20, "MONTH"), "2099-12-31") == (own.limit, own.expires)
    assert ("CLOUD_KEY", ["venice_ask_web"], None) == (cloud.key_variable, cloud.tools, cloud.limit)


WRONG = {
    "an option that is not there": (
        'toolset = ["core"]',
        "line 3: toolset: there is no such option",
    ),
    "a tool that is not there": (
        'tools = ["venice_ask_wep"]',
        "line 3: tools: there is no tool 'venice_ask_wep'; did you mean venice_ask_web?",
    ),
    "a toolset among the tools": (
        'tools = ["core"]',
        "line 3: tools: 'core' is a toolset, not a tool: write it in toolsets",
    ),
    "a toolset that is never whole": (
        'toolsets = ["admin"]',
        "line 3: toolsets: it is one of core",
    ),
    "another type": ('prune = "yes"', "line 3: prune: Input should be a valid boolean"),
    "an amount that is none": (
        'agents = ["a"]\nusd_per_day = 0',
        "line 4: usd_per_day: Input should be greater than or equal to 0.01",
    ),
    "a secret with its value": ('secrets = ["A=b"]', "line 3: secrets: give the name alone"),
    "an approval of nothing": ('approve = "costy"', "line 3: approve: there is no tool 'costy'"),
    "a day that is over": ('expires = "2020-01-01"', "line 3: expires: write a day to come"),
    "an agent without a name": ('agents = [""]', "line 3: agents: an empty text names no agent"),
    "a tag of nothing": ('agent_tags = [" "]', "line 3: agent_tags: an empty text names no agent"),
    "limits for nobody": ("usd_per_day = 5", "line 1: secrets and limits belong to agents"),
    "two limits": (
        'agents = ["a"]\nusd_per_day = 5\nusd_in_all = 9',
        "line 1: give one of usd_per_day, usd_per_month and usd_in_all",
    ),
    "an end without a limit": ('expires = "2099-01-01"', "line 1: expires goes with a limit"),
    "a key beside a limit": (
        'agents = ["a"]\nusd_per_day = 5\nsecrets = ["VENICE_API_KEY"]',
        "line 1: with a limit each agent gets a VENICE_API_KEY of its own",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, case: str) -> None:
    """Whoever wrote the file finds the place, and what is to stand there."""
    lines, expected = WRONG[case]
    (told,) = mistakes(tmp_path, f'[[register]]\nserver = "http://localhost:8283"\n{lines}\n')

    assert told.startswith(expected)


def test_lists_without_end_are_told(tmp_path: Path) -> None:
    """A file that no reader gets to the end of is one line."""
    (told,) = mistakes(tmp_path, f"a = {'[' * 5000}")

    assert "too deep in each other" in told


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """Some editors begin each file with such a sign."""
    assert 2 == len(read_entries(write(tmp_path, f"\ufeff{WHOLE}")))


@pytest.mark.parametrize("address", ["http://localhost:xx", "http://[::1", "localhost:8283"])
def test_an_address_that_is_none_is_told(tmp_path: Path, address: str) -> None:
    """What no server can be asked at is a mistake of its line."""
    (told,) = mistakes(tmp_path, f'[[register]]\nserver = "{address}"\n')

    assert told.startswith("line 2: server: write an address such as http://localhost:8283")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Mistakes in several tables are a line each, in the table where they stand."""
    text = '[[register]]\nserver = "a"\n\n[[register]]\nserver = "http://b"\nadopt = 1\nnope = 2\n'

    assert ["line 2: server:", "line 6: adopt:", "line 7: nope:"] == [
        told[: told.index(":", 8) + 1] for told in mistakes(tmp_path, text)
    ]


def test_prune_needs_the_server_for_itself(tmp_path: Path) -> None:
    """Where several tables are about one server, each would remove what the others had put there."""
    table = '[[register]]\nserver = "http://localhost:8283"\nprune = true\n'
    (told,) = mistakes(tmp_path, table * 2)

    assert "prune would undo what the others did" in told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[register]]\nserver = \n", "Invalid value (at line 2, column 10)"),
        ("[server]\n", "there is no table [[register]] in it"),
        ("register = 5\n", "line 1: Input should be a valid list"),
        ("register = []\n", "line 1: List should have at least 1 item"),
        ("other = 1\n[[register]]\nserver = 'http://a'\n", "line 1: there is no such option"),
    ],
)
def test_another_form_is_one_line(tmp_path: Path, text: str, expected: str) -> None:
    """What is no TOML, or has no table of ours, is told in a line."""
    (told,) = mistakes(tmp_path, text)

    assert told.startswith(expected)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """So is a file that can't be read."""
    with pytest.raises(RegisterFileError, match=r"nowhere\.toml: No such file"):
        read_entries(tmp_path / "nowhere.toml")


@given(st.text())
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever stands in a file, it says what is wanted, or lines say what is wrong."""
    file = tmp_path_factory.mktemp("any") / "servers.toml"
    file.write_text(f"[[register]]\n{text}", encoding="utf-8", errors="replace")
    with suppress(RegisterFileError):
        read_entries(file)
