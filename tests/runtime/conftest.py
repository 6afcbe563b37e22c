"""What tests of the runtime stand on."""

from pathlib import Path

import pytest


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """The media store."""
    folder = tmp_path / "media"
    folder.mkdir()
    return folder
