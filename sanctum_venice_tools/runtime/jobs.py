"""Jobs: films and music, which take minutes. A job is one string that holds all that is needed to get its file."""

import hashlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from sanctum_venice_tools.runtime.media import _media_folder, _write
from sanctum_venice_tools.runtime.money import _check_price
from sanctum_venice_tools.runtime.public import _open_public
from sanctum_venice_tools.runtime.venice import _DEADLINE, VeniceError, _call, _client, _given, _lost, _pieces, _send

_SUFFIXES = {"video/mp4": "mp4", "audio/mpeg": "mp3", "audio/wav": "wav", "audio/x-wav": "wav", "audio/flac": "flac"}
_MADE = {"video": "video", "audio": "music"}
_TYPES = {suffix: kind for kind, suffix in reversed(_SUFFIXES.items())}


def _quote(kind: str, body: dict[str, Any]) -> float:
    """What Venice asks for such a film ("video") or sound ("audio"), in USD; free to ask."""
    told, _ = _call("POST", f"/{kind}/quote", json=body)
    return float(told["quote"])


def _queue(kind: str, body: dict[str, Any], price: float) -> dict[str, Any]:
    """Buy a job, unless it is too dear: its string and its price, or what a person must consent to first."""
    _check_price(price)
    _media_folder()
    told, _ = _call("POST", f"/{kind}/queue", json=body, also=409)
    if "queue_id" in told:
        names = [quote(told[name], safe="/:") for name in ("model", "queue_id")]
        job = "|".join([f"venice-{kind}", *names, *filter(None, [told.get("download_url")])])
        after = f"In a minute or two, call venice_retrieve_{_MADE[kind]} with this job."
        return {"job": job, "cost_usd": price, "next": after}
    asked, consent = told.get("error"), told.get("consent") or {}
    # Consent is a person's to give: no tool has a way to send it.
    return _given(
        status="needs_consent: nothing was queued, nothing was spent",
        reason=str((asked.get("message") if isinstance(asked, dict) else asked) or "")[:500],
        policy=(consent.get("policy_text") or "")[:3000],
        faces_in=told.get("face_media_roles"),
        how=told.get("docs_url"),
        next="Show the policy to the person, word for word. Only they can consent, at Venice, as the page under how "
        "says; then the same call works. Or use media without a face, or another model.",
    )


def _read_job(text: str, kind: str) -> tuple[str, str, str]:
    """The model, the queue id and the download URL (if any) of a job of a kind, wherever in a text it stands."""
    part = r"[^\s|\"'`<>()]+"
    if found := re.search(rf"venice-{kind}\|({part})\|({part})(?:\|(https?://{part}))?", text):
        model, queue_id, url = (one.rstrip(".,;:") for one in found.groups(""))
        return unquote(model), unquote(queue_id), url
    other = "audio" if kind == "video" else "video"
    if f"venice-{other}|" in text:
        raise VeniceError(f"This job is for venice_retrieve_{_MADE[other]}. Give it to that tool.")
    raise VeniceError(f"This is no {kind} job. Give the whole string: it begins with venice-{kind}|.")


def _name_of(kind: str, model: str, queue_id: str) -> str:
    """The name, without its ending, of the file of a job: the same whenever it is asked for."""
    stem = re.sub(r"[^a-z0-9]+", "-", model[-60:].lower()).strip("-")
    return f"{stem}-{hashlib.sha256(f'{kind}|{model}|{queue_id}'.encode()).hexdigest()[:10]}"


def _kept(place: Path) -> Path | None:
    """The file of a job whose place, without its ending, this is; if it is there already."""
    return next((path for path in sorted(place.parent.glob(f"{place.name}.*")) if path.suffix != ".part"), None)


def _retrieve(kind: str, job: str, wait: int) -> dict[str, Any]:
    """The file of a job, as soon as it is done; after so many seconds, how far it is and when to ask again."""
    model, queue_id, url = _read_job(job, kind)
    body = {"model": model, "queue_id": queue_id}
    place = _media_folder() / _name_of(kind, model, queue_id)
    unknown = "Venice has no such job: copy the string exactly. A job that is a day old, or was deleted, is gone."
    until = time.monotonic() + wait
    while not (file := _kept(place)):
        reply = _send("POST", f"/{kind}/retrieve", advice={404: unknown}, json=body)
        form = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        if form != "application/json":
            suffix = _SUFFIXES.get(form, "mp4" if kind == "video" else "mp3")
            _write(place.with_suffix(f".{suffix}"), _sound_or_film(_pieces(reply)))
            continue
        try:
            state = json.loads(b"".join(_pieces(reply)))
        except ValueError as error:
            raise _lost(reply.request, error) from None
        if state.get("status") == "COMPLETED":
            _download(url, place.with_suffix(".mp4"))
            continue
        run, usual = (round(state.get(name, 0) / 1000) for name in ("execution_duration", "average_execution_time"))
        pause = min(max((usual - run) / 2, 5.0), 20.0)  # Venice asks for 5 s at least
        # What is left of the time must do to fetch the file.
        if time.monotonic() + pause > min(until, _DEADLINE - 20):
            again = max(usual - run, 15)
            told = {"status": "processing", "seconds_run": run, "usual_seconds": usual, "job": job}
            return told | {"next": f"Ask again in {again} s with this job."}
        time.sleep(pause)
    return {"file": str(file), "type": _TYPES.get(file.suffix[1:], ""), "bytes": file.stat().st_size}


def _sound_or_film(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces of a file; in the end, an error if it is neither a sound nor a film."""
    start = b""
    for piece in pieces:
        start = start if len(start) >= 12 else start + piece[:12]
        yield piece
    if not re.match(rb"....ftyp|RIFF|fLaC|ID3|\xff[\xe0-\xff]", start, re.DOTALL):
        raise VeniceError("Venice sent no sound or film. Asking again is free: try again once, then tell the person.")


def _download(url: str, path: Path) -> None:
    """Fetch what a private model has made; its address is in the job and nowhere else."""
    if not url:
        raise VeniceError("The job is done, but its download address is missing here: copy the whole job string.")
    with _open_public(url, trusted=_client().base_url.netloc) as reply:
        _write(path, _sound_or_film(_pieces(reply)))


def _retrieve_kindly(kind: str, job: str, wait: int) -> dict[str, Any]:
    """As `_retrieve`, for a job that was just bought: whatever goes wrong, its string must reach the caller."""
    try:
        return _retrieve(kind, job, wait)
    except VeniceError as error:
        return {
            "status": f"bought, but not retrieved: {error}",
            "next": f"Call venice_retrieve_{_MADE[kind]} with this job.",
        }


def _delete(job: str, *, even_if_not_stored: bool) -> dict[str, Any]:
    """Delete Venice's copy of what a job made, if ours is safe or the caller insists."""
    kind = "audio" if "venice-audio|" in job else "video"
    model, queue_id, url = _read_job(job, kind)
    file = _kept(_media_folder() / _name_of(kind, model, queue_id))
    if not file and not even_if_not_stored:
        fetch = f"venice_retrieve_{_MADE[kind]}"
        raise VeniceError(f"It is not stored here, and would be lost. Call {fetch} first, or say even_if_not_stored.")
    if url:
        with _open_public(url, trusted=_client().base_url.netloc, method="DELETE"):
            deleted = True
    else:
        deleted = _call("POST", f"/{kind}/complete", json={"model": model, "queue_id": queue_id})[0]["success"]
    later = "" if deleted else "It is not finished, or in use. Try again in a few minutes."
    return {"deleted": deleted, "file": str(file) if file else None, "next": later}
