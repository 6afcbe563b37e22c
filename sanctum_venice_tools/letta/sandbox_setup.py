"""What runs in a Letta server's own sandbox, as a tool does.

It makes the venv of the fast sandbox, or removes it.

The venv gets httpx from the server's own packages, so it needs no network and no pip, and has the
server's version.
"""

import importlib.metadata
import re
import shutil
import sysconfig
import venv
from pathlib import Path


def set_up_venice_sandbox(*, folder: str, venv_name: str, package: str) -> str:
    """Make the venv `venv_name` in the sandbox's folder, with a package and what it needs.

    Without a package, remove it.
    """
    if not Path(folder).expanduser().samefile(Path.cwd()):
        # Said to a person in one line; the class name must end in Error for Letta to show the
        # message.
        raise RuntimeError(f"this server runs tools elsewhere than in {folder}")
    place = Path.cwd() / venv_name
    shutil.rmtree(place, ignore_errors=True)
    if package:
        venv.create(place, symlinks=True)
        site = Path(
            sysconfig.get_path("purelib", "venv", {"base": str(place), "platbase": str(place)})
        )
        for distribution in _needed(package):
            _copy(distribution, site)
    return "done"


def _needed(package: str) -> list[importlib.metadata.Distribution]:
    """The installed distributions that a package consists of."""
    found: dict[str, importlib.metadata.Distribution] = {}
    ahead = [package]
    while ahead:
        name = ahead.pop()
        if name in found:
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:  # of another platform, or of another Python
            continue
        for need in found[name].requires or []:  # such as httpcore==1.*
            needed = re.match(r"[\w.-]+", need)
            if needed and "extra ==" not in need:
                ahead.append(needed[0].lower())
    return list(found.values())


def _copy(distribution: importlib.metadata.Distribution, site: Path) -> None:
    """Copy what a distribution has among the packages, without its commands."""
    for file in distribution.files or []:
        if ".." not in file.parts and "__pycache__" not in file.parts:
            target = site / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(str(file.locate()), target)
