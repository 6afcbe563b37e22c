"""How large films go through a tool: seconds, and the most memory at a time, beside curl.

They go from a local Venice into a folder, onto a media server, and from there into the folder of
another machine; curl does the same in turns. Two minutes, and 2 GB of the temporary folder.
"""

import hashlib
import json
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

# A clone works without being installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import click
import httpx
import psutil

from benchmarks.emitted import Workplace, workplace
from benchmarks.measuring import (
    MEGABYTE,
    Run,
    Table,
    benchmark,
    in_turns,
    middle_run,
    progress,
    run_program,
)
from sanctum_venice_tools.media_server.process import RunningMediaServer, running_media_server

ROUNDS = 3
SIZES_MB = (1, 30, 300)
MODEL = "wan-2.5-preview-text-to-video"

# How often the media server's memory is looked at, in seconds.
LOOK_SECONDS = 0.01

INTO_FOLDER = "Venice to folder"
ONTO_SERVER = "Venice to media server"
FROM_SERVER = "media server to folder"
WAYS = (INTO_FOLDER, ONTO_SERVER, FROM_SERVER)


@benchmark(__file__, __doc__)
def main(*, quick: bool) -> list[Table]:
    """Move films of each size, in turns."""
    sizes = SIZES_MB[:1] if quick else SIZES_MB
    rounds = 1 if quick else ROUNDS
    table = Table(
        f"Films, medians of {rounds}",
        {
            "from, to": "",
            "film MB": "d",
            "tool s": ".2f",
            "curl s": ".2f",
            "tool MB": ".1f",
            "curl MB": ".1f",
            "server MB": "+.1f",
        },
        notes=[
            "server MB: by how much the media server's memory grew meanwhile, at most",
            "The tool waits for the disk, and tells the server a SHA-256; curl does neither.",
        ],
    )
    options = ("--quota-gb", "1", "--drop-oldest")
    with workplace() as place, running_media_server(place.folder / "shelf", *options) as server:
        for size in sizes:
            progress(f"films of {size} MB")
            movers = Movers(place, server, size)
            runs = in_turns(movers.cases(), rounds)
            for way in WAYS:
                _add(table, movers, way, runs)
    return [table]


def _add(table: Table, movers: "Movers", way: str, runs: dict[tuple[str, str], list[Run]]) -> None:
    """Add what one way took."""
    tool = middle_run(runs[way, "tool"])
    has_curl = (way, "curl") in runs
    curl = middle_run(runs[way, "curl"]) if has_curl else None
    table.add(
        way,
        movers.size,
        tool.seconds,
        curl.seconds if curl else None,
        tool.peak_mb,
        curl.peak_mb if curl else None,
        movers.growth.get(way),
    )


@dataclass
class Movers:
    """What moves films of one size: a tool, and curl."""

    place: Workplace
    server: RunningMediaServer
    size: int
    """In megabytes."""
    growth: dict[str, float] = field(default_factory=dict)
    """By how many megabytes the media server grew, by the way."""

    def cases(self) -> dict[tuple[str, str], Callable[[], Run]]:
        """Each way, and who goes it."""
        cases: dict[tuple[str, str], Callable[[], Run]] = {
            (INTO_FOLDER, "tool"): self._fetch_by_tool,
            (ONTO_SERVER, "tool"): self._publish_by_tool,
            (FROM_SERVER, "tool"): self._take_by_tool,
        }
        if shutil.which("curl"):
            cases[INTO_FOLDER, "curl"] = self._fetch_by_curl
            cases[ONTO_SERVER, "curl"] = self._publish_by_curl
            cases[FROM_SERVER, "curl"] = self._take_by_curl
        return cases

    # --- by the tool ---

    def _fetch_by_tool(self) -> Run:
        return self._retrieve(_new_job(), {})

    def _publish_by_tool(self) -> Run:
        with self._watched(ONTO_SERVER):
            return self._retrieve(_new_job(), self._server_settings)

    def _take_by_tool(self) -> Run:
        job = _new_job()
        self._retrieve(job, self._server_settings)
        with self._watched(FROM_SERVER):
            return self._retrieve(job, self._server_settings)

    def _retrieve(self, job: str, settings: dict[str, str]) -> Run:
        """Call the tool with an empty folder; what it tells must be of the whole film."""
        self._empty_folder()
        self._order_film()
        run = self.place.run_tool("venice_retrieve_video", {"job": job}, settings)
        self.place.venice.clear_faults()
        if json.loads(run.output).get("bytes") != self._length:
            raise click.ClickException(f"The tool did not get the whole film: {run.output[:500]}")
        return run

    # --- by curl, as plainly as it can be done ---

    def _fetch_by_curl(self) -> Run:
        self._empty_folder()
        self._order_film()
        body = json.dumps({"model": MODEL, "queue_id": str(uuid4())})
        venice = self.place.venice
        return self._curl(
            f"{venice.base_url}/video/retrieve", venice.key, "--data", body, *self._to_film
        )

    def _publish_by_curl(self) -> Run:
        fetched = self._fetch_by_curl()
        _, sent = self._send_by_curl()
        return Run(
            seconds=fetched.seconds + sent.seconds,
            processor_seconds=fetched.processor_seconds + sent.processor_seconds,
            peak_mb=max(fetched.peak_mb, sent.peak_mb),
            output="",
        )

    def _take_by_curl(self) -> Run:
        self._fetch_by_curl()
        number, _ = self._send_by_curl()
        content = f"{self.server.address}/files/{number}/content"
        return self._curl(content, self.server.token, *self._to_film)

    def _send_by_curl(self) -> tuple[str, Run]:
        """Put the film on the media server; its id there. Only the sending itself is counted."""
        with self._film.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        declared = {"name": f"{uuid4()}.mp4", "bytes": self._length, "sha256": digest}
        headers = {"Authorization": f"Bearer {self.server.token}"}
        with httpx.Client(base_url=self.server.address, headers=headers, timeout=60) as client:
            told = client.post("/files", json=declared).raise_for_status().json()
            upload = self.server.address + told["upload"]
            run = self._curl(upload, self.server.token, "--upload-file", str(self._film))
            client.post(told["confirm"]).raise_for_status()
        return told["id"], run

    def _curl(self, address: str, key: str, *options: str) -> Run:
        """Run curl, which tells of failures and of nothing else."""
        headers = ("-H", f"Authorization: Bearer {key}", "-H", "Content-Type: application/json")
        return run_program(["curl", "--silent", "--fail", *headers, *options, address])

    # --- for both ---

    @property
    def _length(self) -> int:
        return self.size * MEGABYTE

    @property
    def _film(self) -> Path:
        return self.place.media / "film-of-curl.mp4"

    @property
    def _to_film(self) -> tuple[str, str]:
        return ("--output", str(self._film))

    @property
    def _server_settings(self) -> dict[str, str]:
        return {"VENICE_MEDIA": self.server.address, "VENICE_MEDIA_TOKEN": self.server.token}

    def _empty_folder(self) -> None:
        shutil.rmtree(self.place.media)
        self.place.media.mkdir()

    def _order_film(self) -> None:
        """Let Venice answer with a film of this size, whatever the job."""
        self.place.venice.order_fault(
            fault="bytes", path="/video/retrieve", bytes=self._length, content_type="video/mp4"
        )

    @contextmanager
    def _watched(self, way: str) -> Iterator[None]:
        """Note by how much the media server's memory grows meanwhile."""
        process = psutil.Process(self.server.pid)
        before = most = process.memory_info().rss
        is_done = threading.Event()

        def watch() -> None:
            nonlocal most
            while not is_done.wait(LOOK_SECONDS):
                most = max(most, process.memory_info().rss)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            is_done.set()
            watcher.join()
        growth = (most - before) / MEGABYTE
        self.growth[way] = max(growth, self.growth.get(way, 0))


def _new_job() -> str:
    """A job that no file is of yet."""
    return f"venice-video|{MODEL}|{uuid4()}"


if __name__ == "__main__":
    main()
