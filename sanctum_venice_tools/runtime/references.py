"""What a film refers to: images, videos and sounds, and how many each family of models takes."""

import io
from dataclasses import dataclass
from typing import Any

from sanctum_venice_tools.runtime.film_media import _MOST_MB
from sanctum_venice_tools.runtime.formats import _film_seconds
from sanctum_venice_tools.runtime.intake import _read_local
from sanctum_venice_tools.runtime.public import _is_for_venice
from sanctum_venice_tools.runtime.venice import VeniceError


@dataclass(frozen=True)
class _References:
    """What a film refers to."""

    images: int
    videos: int
    audios: int
    lengths: list[float]
    """Of the videos that could be measured, each in seconds."""

    seconds: float | None
    """Of all videos together; None, where there are none."""

    are_measured: bool
    """Whether that was measured, or rests on what the caller said."""


@dataclass(frozen=True)
class _Limits:
    """The most references that a family of models takes, and how long videos may be, in seconds."""

    images: int
    videos: int = 0
    audios: int = 0
    shortest: float = 0
    longest: float = 0
    together: float = 0


# By the beginning of a model's id, the longer first (Venice's skill for films, as of 2026-09-30).
_LIMITS = {
    "seedance-2-0": _Limits(9, 3, 3, shortest=2, longest=15, together=15),
    "seedance-2-5": _Limits(30, 10, 10, shortest=2, longest=30, together=30),
    "wan-3-0": _Limits(10, 5, 5, shortest=1, longest=15, together=15),
    "minimax-h3-enhanced": _Limits(9, 0, 3),
    "minimax-h3": _Limits(9, 3, 3, shortest=2, longest=15, together=15),
    "kling-o3-4k": _Limits(7),
    "kling-o3": _Limits(4),
    "kling-v3": _Limits(4),
    "pixverse-c1": _Limits(7),
    "grok-imagine": _Limits(7),
    "gemini-omni-flash-1-1": _Limits(10),
    "gemini-omni-flash": _Limits(3),
}


def _count_references(content: dict[str, Any], rare: dict[str, Any]) -> _References:
    """What a film refers to, measured where it can be.

    What the caller says of the videos' length counts only where one can't be measured, and never
    for less than the others have. A mere quote has no media: what it says is taken.
    """
    said_seconds = rare.pop("reference_video_total_duration", None)
    said_images = rare.pop("reference_image_count", 0)
    images = [*content.get("reference_image_urls", []), *content.get("image_references", [])]
    audios = content.get("reference_audio_urls", [])
    videos = _videos_in(content)

    found = [_seconds_of(video) for video in videos]
    lengths = [length for length in found if length is not None]
    together = round(sum(lengths), 3)
    are_measured = bool(videos) and len(lengths) == len(videos)
    if videos and not are_measured and said_seconds is None:
        option = "reference_video_total_duration"
        raise VeniceError(f"Give the option {option}, in seconds: the price depends on it.")

    seconds = None
    if are_measured:
        seconds = together
    elif said_seconds is not None:
        seconds = max(said_seconds, together)
    return _References(
        images=len(images) or said_images,
        videos=len(videos),
        audios=len(audios),
        lengths=lengths,
        seconds=seconds,
        are_measured=are_measured,
    )


def _videos_in(content: dict[str, Any]) -> list[str]:
    """The videos that a film refers to, by whichever of the two fields."""
    bare = content.get("reference_video_urls", [])
    described = content.get("video_references", [])
    return [*bare, *(reference["video_url"] for reference in described)]


def _seconds_of(video: str) -> float | None:
    """How long a stored film is; None for one at a public URL, or that is not MP4 or MOV."""
    if _is_for_venice(video):
        return None
    return _film_seconds(io.BytesIO(_read_local(video, most_mb=_MOST_MB["video"])))


def _tell_of(references: _References) -> str:
    """What the caller is told of the reference videos, which the price depends on."""
    if references.are_measured:
        return f"The reference videos are {references.seconds:g} s long together, as measured."
    return "The price is the least: it rests on the length that you gave for the reference videos."


def _check_references(model: str, references: _References) -> None:
    """Refuse more than a model takes, before anything is sent; of an unknown family, nothing."""
    lack = _too_many_references(model, references) or _misfit_of_length(model, references)
    if lack:
        raise VeniceError(f"{model} takes {lack}")


def _too_many_references(model: str, references: _References) -> str:
    """That there are more references than a model takes, and what to do; nothing, if not."""
    limits = _limits_of_family(model)
    if limits is None:
        return ""
    return (
        _too_many_of("image", references.images, limits.images)
        or _too_many_of("video", references.videos, limits.videos)
        or _too_many_of("audio", references.audios, limits.audios)
    )


def _misfit_of_length(model: str, references: _References) -> str:
    """That a model takes shorter or longer videos, and what to do; nothing, if not."""
    limits = _limits_of_family(model)
    if limits is None:
        return ""
    for seconds in references.lengths:
        if not limits.shortest <= seconds <= limits.longest:
            span = f"{limits.shortest:g} to {limits.longest:g} s"
            return f"reference videos of {span}, and one has {seconds:g} s. Cut it."
    if references.seconds is not None and limits.videos and references.seconds > limits.together:
        told = f"reference videos of {limits.together:g} s together"
        return f"{told}, and these have {references.seconds:g} s. Leave some out, or cut them."
    return ""


def _takes_references(model: str, kind: str) -> bool:
    """Whether a model is known to take references of a kind: "videos" or "audios"."""
    limits = _limits_of_family(model)
    return limits is not None and getattr(limits, kind) > 0


def _limits_of_family(model: str) -> _Limits | None:
    """The limits of a model's family; None, if it is not known to take references."""
    if "reference" not in model:
        return None
    for beginning, limits in _LIMITS.items():
        if model.startswith(beginning):
            return limits
    return None


def _too_many_of(kind: str, given: int, most: int) -> str:
    """That there are more references of a kind than a model takes; nothing, if there are not."""
    if given <= most:
        return ""
    taken = f"at most {most} reference {kind}s" if most else f"no reference {kind}s"
    return f"{taken}, and {given} were given. Leave out {given - most}."
