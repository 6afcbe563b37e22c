"""A gallery with something in it: samples from the local Venice, where agents made nothing yet."""

from typing import Any

from rich.console import Console

from sanctum_venice_tools.demo.places import MEDIA, DemoError, keep_gallery, own_media_server
from sanctum_venice_tools.emulator.process import running_venice
from sanctum_venice_tools.fronts.run import RunError, run_tool
from sanctum_venice_tools.media_server.process import RunningMediaServer
from sanctum_venice_tools.packing.record import read_record
from sanctum_venice_tools.terminal import Progress

# One of each kind that the gallery shows.
_SAMPLES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("venice_generate_image", {"prompt": "A red fox on a roof at dusk", "aspect_ratio": "16:9"}),
    ("venice_generate_image", {"prompt": "A paper lantern on dark water", "aspect_ratio": "1:1"}),
    ("venice_generate_image", {"prompt": "A lighthouse in a storm", "aspect_ratio": "2:3"}),
    ("venice_speak", {"text": "Foxes have lived in British cities since the 1930s."}),
    ("venice_make_video", {"prompt": "A fox crosses a street at night", "duration": "5s"}),
    ("venice_embed_texts", {"texts": ["a fox", "a lantern", "a lighthouse"]}),
    ("venice_read_webpage", {"url": "https://www.example.org/urban-wildlife/red-foxes"}),
)  # fmt: skip


def run(console: Console, progress: Progress) -> None:
    """Show the gallery until Ctrl-C, with samples where there is nothing to see yet.

    Args:
        console: Where its address is shown.
        progress: What tells of the making.

    Raises:
        DemoError: A sample could not be made.
    """
    with own_media_server() as media:
        if not _has_files():
            _make(media, progress)
        progress.end()
        keep_gallery(console, media)


def _has_files() -> bool:
    """Whether there is something to see."""
    files = MEDIA / "files"
    return files.is_dir() and any(files.iterdir())


def _make(media: RunningMediaServer, progress: Progress) -> None:
    """Call the tools at the local Venice, which costs nothing, whatever the environment says."""
    with running_venice(job_seconds=0) as venice:
        settings = {
            "VENICE_API_KEY": venice.key,
            "VENICE_BASE_URL": venice.base_url,
            "VENICE_MEDIA": media.address,
            "VENICE_MEDIA_TOKEN": media.token,
        }
        for name, arguments in _SAMPLES:
            progress(f"Making a sample: {name}")
            try:
                outcome = run_tool(read_record(name), arguments, settings=settings)
            except RunError as error:
                raise DemoError(str(error)) from None
            if outcome.refusal:
                raise DemoError(f"{name}: {outcome.refusal}")
