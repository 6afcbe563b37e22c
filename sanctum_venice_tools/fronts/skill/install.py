"""Put the skill where a host finds it: whole or not at all, and never over what is not ours."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sanctum_venice_tools.fronts.skill import OURS, skill_files, write_skill


def state_of(folder: Path) -> str:
    """What stands there.

    `absent`, `current`, `older` (ours, of another version, or edited) or `foreign`.
    """
    if not folder.exists() and not folder.is_symlink():
        return "absent"
    if folder.is_symlink() or not _is_ours(folder):
        return "foreign"
    there = {}
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            place = path.relative_to(folder).as_posix()
            there[place] = path.read_bytes()
    wanted = {place: text.encode() for place, text in skill_files().items()}
    return "current" if there == wanted else "older"


def _is_ours(folder: Path) -> bool:
    """Whether a folder's SKILL.md says that it is of this pack."""
    try:
        text = (folder / "SKILL.md").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    frontmatter = text.removeprefix("---\n").partition("\n---\n")[0]
    return OURS in [line.strip() for line in frontmatter.splitlines()]


def install(folder: Path) -> None:
    """Write the skill beside its place, then move it there; what was there is removed last."""
    skills = folder.parent
    skills.mkdir(parents=True, exist_ok=True)
    with _folder_beside(skills) as beside:
        new = beside / "new"
        old = beside / "old"
        write_skill(new)
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise


@contextlib.contextmanager
def _folder_beside(skills: Path) -> Iterator[Path]:
    """A folder for the time of the block, on the same disk.

    It is not among the skills, where a host would find it.
    """
    beside = Path(tempfile.mkdtemp(prefix=".venice-", dir=skills.parent))
    try:
        yield beside
    finally:
        shutil.rmtree(beside)
