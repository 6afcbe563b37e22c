"""Jobs: films and music, which take minutes. A job is one string, which leads to its file."""

import hashlib
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import httpx

from sanctum_venice_tools.runtime.formats import _media_type, _recording_ending
from sanctum_venice_tools.runtime.media import _media_folder, _media_path, _stem_of, _store_job
from sanctum_venice_tools.runtime.money import _check_price, _read_price
from sanctum_venice_tools.runtime.public import _open_public
from sanctum_venice_tools.runtime.publishing import _take_published
from sanctum_venice_tools.runtime.replies import (
    _list_of,
    _number_of,
    _object_of,
    _parse_reply,
    _text_of,
)
from sanctum_venice_tools.runtime.venice import (
    _CHARGED,
    _DEADLINE,
    VeniceError,
    _call,
    _client,
    _failed,
    _given,
    _pieces,
    _read,
    _read_what_comes,
    _reason,
    _send,
)

_MADE = {"video": "video", "audio": "music"}
_CONFLICT = 409  # Venice's question whether a person consents

# What is longer than this is none of Venice's ids, and no address of its films.
_LONGEST_ID = 300
_LONGEST_ADDRESS = 6000
_LONGEST_POLICY = 3000

# How an address begins.
_BEGINS_AS_ADDRESS = re.compile("https?://.")


@dataclass(frozen=True)
class _Job:
    """A film or sound that was bought."""

    kind: str
    """"video" or "audio"."""
    model: str
    queue_id: str
    url: str = ""
    """Its download address, if it has one of its own."""


class _JobEndedError(VeniceError):
    """The error for a job of which nothing more will come."""


@dataclass(frozen=True)
class _Progress:
    """What came of asking after a job: how far it is, or why that is not known."""

    is_completed: bool = False
    seconds_run: int = 0
    usual_seconds: int = 0
    trouble: str = ""
    is_failure: bool = False
    """Whether the job may have failed: if so, Venice tells it in the same words each time."""


# --- buying ---


def _quote(kind: str, body: dict[str, Any]) -> float:
    """What Venice asks for such a film ("video") or sound ("audio"), in USD; free to ask."""
    told, _ = _call("POST", f"/{kind}/quote", json=body)
    return _read_price(told)


def _queue(
    kind: str, body: dict[str, Any], price: float, *, is_least: bool = False
) -> dict[str, Any]:
    """Buy a job, unless it is too dear: its string and price, or what a person must consent to.

    From the request on it may be paid: whatever Venice answers, the caller gets the job or all that
    was said.
    """
    _check_price(price, is_least=is_least)
    _media_folder()
    reply = _send("POST", f"/{kind}/queue", json=body, also=_CONFLICT)
    content = _read_what_comes(reply)
    answer = _object_of(_parse_reply(content))
    if reply.status_code == _CONFLICT:
        return _ask_for_consent(answer)

    asked_model = _text_of(body.get("model"))
    job = _read_sold(answer, kind, asked_model)
    if not job:
        said = _reason(content.decode(errors="replace"))
        raise VeniceError(f"Venice's answer leads to no job. It said: {said}; {_CHARGED}")
    after = f"In a minute or two, call venice_retrieve_{_MADE[kind]} with this job."
    return {"job": _job_string(job), "cost_usd": price, "next": after}


def _read_sold(answer: dict[str, Any], kind: str, asked_model: str) -> _Job | None:
    """The job in Venice's answer to a purchase, or one level down in it; None, if it has none."""
    one_level_down = _object_of(answer.get("data"))
    for told in (answer, one_level_down):
        queue_id = _read_id(told.get("queue_id"))
        if queue_id:
            model = _read_id(told.get("model")) or asked_model
            url = _read_address(told.get("download_url"))
            return _Job(kind, model, queue_id, url)
    return None


def _read_id(value: Any) -> str:
    """An id of Venice's; a number is taken as its text."""
    is_number = _number_of(value) is not None
    told = str(value) if is_number else _text_of(value)
    if len(told) > _LONGEST_ID:
        return ""
    return told


def _read_address(value: Any) -> str:
    """The address of a film, in signs that can stand in a job string; nothing, if it is none."""
    address = quote(_text_of(value), safe=":/?#[]@!$&*+,;=%", errors="replace")
    if len(address) > _LONGEST_ADDRESS or not _BEGINS_AS_ADDRESS.match(address):
        return ""
    return address


def _ask_for_consent(told: dict[str, Any]) -> dict[str, Any]:
    """What to show to a person, whose consent Venice wants.

    It is theirs to give: no tool has a way to send it.
    """
    error = told.get("error")
    reason = _text_of(error) or _text_of(_object_of(error).get("message"))
    policy = _text_of(_object_of(told.get("consent")).get("policy_text"))
    faces = _list_of(told.get("face_media_roles"))
    how = _text_of(told.get("docs_url"))
    return _given(
        status="needs_consent: nothing was queued, nothing was spent",
        reason=reason[:500],
        policy=policy[:_LONGEST_POLICY],
        faces_in=[_text_of(role)[:40] for role in faces[:40]],
        how=how[:500],
        next=(
            "Show the policy to the person, word for word. Only they can consent, at Venice, "
            "as the page under how says; then the same call works. "
            "Or use media without a face, or another model."
        ),
    )


# --- the job string ---

# What follows venice-video or venice-audio: a model, an id, and an address, if there is one.
# |wan-2.5-preview-text-to-video|0f1e2d3c-4b5a-6978|https://private-share.venice.ai/v1/share/read/a1
_PART = r"[^\s|\"'`<>(){}\[\]*\\]+"
_ADDRESS = r"https?://[^\s|\"'`<>(){}\\]+"
_PARTS = rf"\|({_PART})\|({_PART})(?:\|({_ADDRESS}))?"

# Signs of the text around that may follow a job: **venice-video|m|q**, [venice-video|m|q], m|q!
_AFTER_JOB = ".,;:!?*]"


def _job_string(job: _Job) -> str:
    """All that leads to the file of a job, on one line."""
    parts = [f"venice-{job.kind}", _as_part(job.model), _as_part(job.queue_id)]
    if job.url:
        parts.append(job.url)
    return "|".join(parts)


def _as_part(name: str) -> str:
    """A name as it stands in a job string."""
    quoted = quote(name, safe="/:", errors="replace")
    # A full stop or colon at the end would be taken for one of the sentence around.
    if quoted.endswith((".", ":")):
        code = ord(quoted[-1])
        return f"{quoted[:-1]}%{code:X}"
    return quoted


def _read_job(text: str, kind: str) -> _Job:
    """The job of a kind that a text holds, wherever in it."""
    found = re.search(f"venice-{kind}{_PARTS}", text)
    if found:
        # The text around may go on with a sign that is none of the job's.
        model, queue_id, url = (part.rstrip(_AFTER_JOB) for part in found.groups(default=""))
        return _Job(kind, unquote(model), unquote(queue_id), url)
    other = "audio" if kind == "video" else "video"
    if f"venice-{other}|" in text:
        raise VeniceError(f"This job is for venice_retrieve_{_MADE[other]}. Give it to that tool.")
    raise VeniceError(
        f"This is no {kind} job. Give the whole string: it begins with venice-{kind}|."
    )


def _place_of(job: _Job) -> Path:
    """The path, without its ending, of the file of a job: the same whenever it is asked for."""
    stem = _stem_of(job.model[-60:])
    identity = f"{job.kind}|{job.model}|{job.queue_id}"
    digest = hashlib.sha256(identity.encode(errors="replace")).hexdigest()
    return _media_path() / f"{stem}-{digest[:10]}"


def _kept(place: Path) -> Path | None:
    """The file of a job whose place, without its ending, this is; if it is there already."""
    with suppress(OSError):  # nothing is kept in a folder that can't be looked into
        for path in sorted(place.parent.glob(f"{place.name}.*")):
            if path.suffix != ".part":
                return path
    return _take_published(place.parent, stem=place.name)


# --- retrieving ---

_UNKNOWN = (
    "Venice has no such job: copy the string exactly. "
    "A job that is a day old, or was deleted, is gone."
)
_FINAL = (
    "This is final for this job. credits_refunded says whether its price came back. "
    "Change what was asked for, or take the recommended_model, and queue anew."
)
_REFUSED_CONTENT = 422
_RETRIEVE_ADVICE = {400: _UNKNOWN, 404: _UNKNOWN, _REFUSED_CONTENT: _FINAL}

# What Venice says of a film that is gone: at retrieving, and at a download address.
_GONE = (400, 404, 410)

# Refusals that pass: the request came too slowly, or too often.
_PASSING = (408, 429)

# What a hiccup of Venice's looks like, but also the end of a job whose maker failed: that one is
# told each time.
_FAILED = 500
_TIMES_TO_BELIEVE = 3
_FAILED_ADVICE = (
    "It was the same each time, so this job has failed. Its price should come back by itself: "
    "see in venice_report_usage that it did, before you queue it anew with another prompt or model."
)

_SHORTEST_PAUSE = 5.0  # Venice asks for as much at least
_LONGEST_PAUSE = 20.0
# What is left of the tool's time when a wait ends must do to fetch the file.
_SECONDS_TO_FETCH = 20
_DAY_SECONDS = 24 * 60 * 60


def _retrieve(kind: str, text: str, wait: int) -> dict[str, Any]:
    """The file of a job, as soon as it is done; after so many seconds, how far it is."""
    job = _read_job(text, kind)
    try:
        return _wait_for(job, wait)
    except VeniceError as error:
        raise VeniceError(f"{error} The job: {_job_string(job)}.") from None


def _retrieve_kindly(kind: str, text: str, wait: int) -> dict[str, Any]:
    """As `_retrieve`, for a job that was just bought.

    Whatever goes wrong, the string of the job must reach the caller.
    """
    try:
        return _wait_for(_read_job(text, kind), wait)
    except (VeniceError, OSError) as error:
        has_ended = isinstance(error, _JobEndedError)
        again = f"Call venice_retrieve_{_MADE[kind]} with this job."
        told = f"bought, but not retrieved: {error}"
        return _given(status=told, next="" if has_ended else again)


def _wait_for(job: _Job, wait: int) -> dict[str, Any]:
    """The file of a job, or after the wait, how far it is.

    Asking is free, so what fails is asked again.
    """
    _media_folder()
    place = _place_of(job)
    end = min(time.monotonic() + wait, _DEADLINE - _SECONDS_TO_FETCH)
    said: list[_Progress] = []
    while not (file := _kept(place)):
        progress = _poll(job, place)
        if progress.is_completed:
            continue  # the file is there now
        said.append(progress)
        if _has_failed(said):
            raise _JobEndedError(f"{progress.trouble} {_FAILED_ADVICE}")
        pause = _pause_after(progress)
        if time.monotonic() + pause > end:
            return _tell_progress(job, progress)
        time.sleep(pause)
    return {"file": str(file), "type": _media_type(file.name), "bytes": file.stat().st_size}


def _poll(job: _Job, place: Path) -> _Progress:
    """Ask once after a job. Its file is in its place afterwards, if it is completed."""
    body = {"model": job.model, "queue_id": job.queue_id}
    try:
        reply = _send("POST", f"/{job.kind}/retrieve", advice=_RETRIEVE_ADVICE, json=body)
        if _is_file(reply):
            _store_job(place, _pieces(reply), _recording_ending)
            return _Progress(is_completed=True)
        progress = _read_progress(reply)
    except VeniceError as error:
        if error.status == _REFUSED_CONTENT:
            raise _JobEndedError(str(error)) from None
        return _read_trouble(error)
    if progress.is_completed:
        return _download(job.url, place)
    return progress


def _is_file(reply: httpx.Response) -> bool:
    """Whether Venice answers with the file itself, and not with JSON that says how far it is."""
    return "json" not in reply.headers.get("content-type", "").lower()


def _read_progress(reply: httpx.Response) -> _Progress:
    """What Venice says of a job that has no file yet, or has it elsewhere."""
    told = _object_of(_parse_reply(_read(reply)))
    status = _text_of(told.get("status")).upper()
    if status == "COMPLETED":
        return _Progress(is_completed=True)
    if status != "PROCESSING":
        return _Progress(trouble="Venice did not say how far the job is.")
    run = _whole_seconds(told.get("execution_duration"))
    usual = _whole_seconds(told.get("average_execution_time"))
    return _Progress(seconds_run=run, usual_seconds=usual)


def _whole_seconds(milliseconds: Any) -> int:
    """Seconds, of what Venice tells in milliseconds; none, of what is no time."""
    seconds = (_number_of(milliseconds) or 0) / 1000
    within_a_day = min(max(seconds, 0), _DAY_SECONDS)
    return round(within_a_day)


def _read_trouble(error: VeniceError) -> _Progress:
    """An error as the outcome of a poll, if it may pass; one that is final is raised."""
    status = error.status
    is_ours = status is None
    is_refusal = status in range(400, 500) and status not in _PASSING
    if is_ours or is_refusal:
        raise error
    return _Progress(trouble=str(error), is_failure=status == _FAILED)


def _has_failed(said: list[_Progress]) -> bool:
    """Whether a job has failed: Venice repeats how it ended, where a hiccup would pass."""
    last = said[-1]
    recent = said[-_TIMES_TO_BELIEVE:]
    return last.is_failure and recent == [last] * _TIMES_TO_BELIEVE


def _pause_after(progress: _Progress) -> float:
    """The seconds until the next poll: half of what a job usually still takes, within limits."""
    half = (progress.usual_seconds - progress.seconds_run) / 2
    return min(max(half, _SHORTEST_PAUSE), _LONGEST_PAUSE)


def _tell_progress(job: _Job, last: _Progress) -> dict[str, Any]:
    """How far a job is, and when to ask again; an error, if the last poll did not tell."""
    if last.trouble:
        raise VeniceError(f"{last.trouble} Asking is free: ask again in a minute.")
    seconds_to_go = max(last.usual_seconds - last.seconds_run, 15)
    return {
        "status": "processing",
        "seconds_run": last.seconds_run,
        "usual_seconds": last.usual_seconds,
        "job": _job_string(job),
        "next": f"Ask again in {seconds_to_go} s with this job.",
    }


def _download(url: str, place: Path) -> _Progress:
    """Fetch what a private model has made; its address is in the job and nowhere else.

    Its file is in its place afterwards, but for trouble that may pass.
    """
    if not url:
        raise VeniceError(
            "The job is done, but its download address is missing here: copy the whole job string."
        )
    try:
        with _open_public(url, trusted=_client().base_url.netloc) as reply:
            _store_job(place, _pieces(reply), _recording_ending)
    except VeniceError as error:
        if error.status in _GONE:
            told = f"Its address answered {error.status}. {_UNKNOWN}"
            raise _failed(told, error.status) from None
        # However often it comes, the job itself is done.
        return _Progress(trouble=_read_trouble(error).trouble)
    return _Progress(is_completed=True)


# --- deleting ---

# Where Venice keeps what its private models make, as its guide to films shows; and where the local
# Venice does.
_SHARE_HOST = "private-share.venice.ai"
_SHARE_PATH = re.compile(r"/v1/share/read/[\w.~=-]+(/[\w.~=-]+)*", re.ASCII)
_LOCAL_PATH = re.compile(r"/files/[\w-]+\.mp4", re.ASCII)


def _delete(text: str, *, even_if_not_stored: bool) -> dict[str, Any]:
    """Delete Venice's copy of what a job made, if ours is safe or the caller insists."""
    kind = "audio" if "venice-audio|" in text else "video"
    job = _read_job(text, kind)
    if job.url and not _is_download_address(job.url):
        told = "The address in this job is none of Venice's"
        raise VeniceError(f"{told}. Copy the whole job string; nothing was deleted.")

    try:
        file = _kept(_place_of(job))
    except VeniceError:
        if not even_if_not_stored:
            raise
        file = None  # whether it is stored can't be known, and does not matter
    if not file and not even_if_not_stored:
        told = "It is not stored here, and would be lost"
        fetch = f"venice_retrieve_{_MADE[kind]}"
        raise VeniceError(f"{told}. Call {fetch} first, or say even_if_not_stored.")
    removal = _remove(job, is_stored=file is not None)
    return {
        "deleted": removal.is_deleted,
        "copy": removal.told,
        "file": str(file) if file else None,
        "next": "" if removal.is_deleted else "Try again in a few minutes.",
    }


@dataclass(frozen=True)
class _Removal:
    """What came of having Venice delete its copy of a film or sound."""

    is_deleted: bool
    told: str
    """What became of the copy."""


def _remove(job: _Job, *, is_stored: bool) -> _Removal:
    """Have Venice delete what it keeps of a job; of a stored one, it may be gone already."""
    try:
        if job.url:
            return _remove_at_address(job.url)
        if job.kind == "video":
            return _remove_film(job)
        return _remove_sound(job)
    except VeniceError as error:
        # That it is stored here shows that the string is right.
        if not is_stored or error.status not in _GONE:
            raise
        return _Removal(is_deleted=True, told=f"It seems to be gone. {error}")


def _is_download_address(url: str) -> bool:
    """Whether an address is one of those that Venice hands out for its films, by form and host."""
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    # A path with ".." in it could lead anywhere.
    if address.userinfo or ".." in unquote(unquote(address.path)):
        return False
    own = _client().base_url
    if (address.scheme, address.netloc) == (own.scheme, own.netloc):
        return _LOCAL_PATH.fullmatch(address.path) is not None
    is_share = (address.scheme, address.netloc) == ("https", _SHARE_HOST.encode())
    return is_share and _SHARE_PATH.fullmatch(address.path) is not None


def _remove_at_address(url: str) -> _Removal:
    """Have a film deleted at its download address.

    The address was looked at before: anybody may have written a job string.
    """
    with _open_public(url, trusted=_client().base_url.netloc, method="DELETE"):
        return _Removal(is_deleted=True, told="Venice has deleted it at its download address.")


def _remove_film(job: _Job) -> _Removal:
    """Have Venice hand out a film for the last time, and delete it. What comes is not kept."""
    body = {"model": job.model, "queue_id": job.queue_id, "delete_media_on_completion": True}
    reply = _send("POST", "/video/retrieve", advice=_RETRIEVE_ADVICE, json=body)
    if _is_file(reply):
        # It deletes the film once it has handed out all of it.
        for _ in _pieces(reply):
            pass
    elif not _read_progress(reply).is_completed:
        return _Removal(is_deleted=False, told="Venice still has it: the film is not finished.")
    handed_out = "Venice handed it out a last time, and was told to delete it then"
    return _Removal(is_deleted=True, told=f"{handed_out}; it confirms no more than that.")


def _remove_sound(job: _Job) -> _Removal:
    """Have Venice delete what it keeps of a sound; it says whether it did."""
    body = {"model": job.model, "queue_id": job.queue_id}
    answer, _ = _call("POST", f"/{job.kind}/complete", json=body)
    if _object_of(answer).get("success") is True:
        return _Removal(is_deleted=True, told="Venice has deleted it.")
    return _Removal(is_deleted=False, told="Venice still has it: it is not finished, or in use.")
