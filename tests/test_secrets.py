"""No secret comes out; and the search for them, which goes on in all other tests, does find one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sanctum_venice_tools.demo.places import Place
from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.emulator.service import Key, Settings
from sanctum_venice_tools.letta.connection import connect
from sanctum_venice_tools.letta.doctor import Patient
from sanctum_venice_tools.letta.reading import SecretForm
from sanctum_venice_tools.letta.venice import Venice
from tests.secrets_search import LOCAL_KEY, SecretShownError, search, search_files, searched

MADE = f"VENICE_INFERENCE_KEY_{'x' * 40}"


@pytest.mark.parametrize("secret", [LOCAL_KEY, MADE, "sk-of-this-test-only"])
@pytest.mark.parametrize(
    "form", [str, str.encode, lambda text: {"key": text}], ids=["text", "bytes", "object"]
)
def test_the_search_finds_a_secret(
    monkeypatch: pytest.MonkeyPatch, secret: str, form: Callable[[str], Any]
) -> None:
    """A planted key, one that a tool had made, and one of the environment are found in whatever holds them."""
    monkeypatch.setenv("LETTA_API_KEY", "sk-of-this-test-only")

    with pytest.raises(SecretShownError, match=f"{secret[-4:]}\\) came out in a letter"):
        search(form(f"It is {secret}."), "a letter")


def test_the_search_looks_into_tools() -> None:
    """A reply and an error are both looked through."""

    def tell(*, loudly: bool) -> str:
        if loudly:
            raise ValueError(LOCAL_KEY)
        return LOCAL_KEY

    for loudly in (False, True):
        with pytest.raises(SecretShownError):
            searched(tell)(loudly=loudly)


def test_the_search_looks_into_files(tmp_path: Path) -> None:
    """A file in any folder is read, and a private one is not."""
    (tmp_path / ".private").mkdir()
    (tmp_path / ".private" / "key.txt").write_text(LOCAL_KEY)
    search_files(tmp_path)
    note = tmp_path / "deep" / "note.txt"
    note.parent.mkdir()
    note.write_text(LOCAL_KEY)

    with pytest.raises(SecretShownError, match="the file note"):
        search_files(tmp_path)
    note.unlink()


HOLDERS: dict[str, Callable[[], Any]] = {
    "the local Venice": lambda: LocalVenice("http://127.0.0.1", LOCAL_KEY, 1),
    "its settings": lambda: Settings(key=LOCAL_KEY),
    "its keys": lambda: Key(LOCAL_KEY, "ADMIN", "for a test"),
    "Venice": lambda: Venice("http://127.0.0.1", LOCAL_KEY),
    "the doctor's patient": lambda: Patient({"VENICE_API_KEY": LOCAL_KEY}, "", LOCAL_KEY),
    "the demo's Venice": lambda: Place("http://127.0.0.1", LOCAL_KEY, "Venice", is_own=False),
    "an agent's secret": lambda: SecretForm(
        key="VENICE_API_KEY", value=LOCAL_KEY, value_enc=LOCAL_KEY
    ),
    "Letta's client": lambda: connect("http://127.0.0.1:1", LOCAL_KEY),
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_holds_a_key_does_not_show_it(holder: str) -> None:
    """Neither its form for people nor that for programmers has it, as a traceback or a log would show it."""
    held = HOLDERS[holder]()

    assert LOCAL_KEY not in f"{held} {held!r}"


def test_no_text_has_a_key(texts: dict[str, str]) -> None:
    """What is stored at Letta, and read by all who look at a tool, has no key."""
    for name, text in texts.items():
        search(text, name)
