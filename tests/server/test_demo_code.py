"""The demo in Letta Code, against a Venice of one's own; `make demo-code` sets up its own one and does the same."""

from pathlib import Path
from subprocess import CompletedProcess

import pytest

from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.letta.letta_code.installation import ENVIRONMENT
from tests.server.conftest import run_demo

pytestmark = pytest.mark.server


def demo_code(folder: Path, venice_key: str, venice_url: str) -> CompletedProcess[str]:
    """Run the demo in Letta Code against this Venice, in a folder of its own."""
    return run_demo(
        "--letta-code",
        cwd=folder,
        SANCTUM_LETTA_CODE=str(ENVIRONMENT.folder),
        VENICE_API_KEY=venice_key,
        VENICE_BASE_URL=venice_url,
    )


def homes(folder: Path) -> list[Path]:
    """The home directories that the demo left there."""
    return list(folder.glob(".local/letta-code-demo-*/"))


def test_the_same_conversation_in_letta_code(venice: LocalVenice, tmp_path: Path) -> None:
    """An agent of Letta Code calls the same tools; its pictures are on the media server, and nothing else stays."""
    result = demo_code(tmp_path, venice.key, venice.base_url)

    assert "" == result.stderr
    assert 0 == result.returncode, result.stdout
    tools = ("ask_web", "generate_image", "quote_video", "find_characters")
    for sign in (*(f"→ venice_{tool}(" for tool in tools), "← after ", "Agent   With wan-2.5"):
        assert sign in result.stdout
    assert "Agent   Here is the fox: a-red-fox-" in result.stdout
    assert venice.key not in result.stdout
    assert 1 == len([*(tmp_path / ".local" / "media-server" / "files").rglob("*")])
    assert [] == homes(tmp_path)


def test_letta_code_with_a_refused_key_ends_in_one_line(
    venice: LocalVenice, tmp_path: Path
) -> None:
    """A key that Venice refuses gets one line that says so, without the key or a traceback."""
    result = demo_code(tmp_path, "not-the-key-1234", venice.base_url)

    assert (1, 1) == (result.returncode, len(result.stderr.splitlines())), result.stderr
    assert "VENICE_API_KEY is no good" in result.stderr
    assert [] == homes(tmp_path)
    assert "not-the-key-1234" not in result.stdout + result.stderr
