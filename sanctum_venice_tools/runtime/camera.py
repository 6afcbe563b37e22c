"""The way of the camera around a picture, which one family of film models takes."""

import itertools
from typing import Any

from sanctum_venice_tools.runtime.arguments import _UNREADABLE, _read_list, _read_number
from sanctum_venice_tools.runtime.venice import VeniceError

# Venice's limits (its skill for films, 2026-10-02): poses, and degrees in 32 turns.
_FEWEST_POSES = 2
_MOST_POSES = 12
_MOST_DEGREES = 32 * 360
_POSE = ("time", "azimuth", "elevation", "distance")


def _read_trajectory(value: Any) -> list[dict[str, float]]:
    """The poses of a camera, in the order of their times."""
    try:
        poses = [_read_pose(pose) for pose in _read_list(value, dict[str, Any])]
    except _UNREADABLE:
        poses = []
    if not _FEWEST_POSES <= len(poses) <= _MOST_POSES:
        form = "a list of 2 to 12 objects of time, azimuth, elevation, distance, each a number"
        raise VeniceError(f"The option 'camera_trajectory' is {form}. Correct it.")
    for pose in poses:
        _check_pose(pose)
    _check_order(poses)
    _check_travel(poses)
    return poses


def _read_pose(pose: dict[str, Any]) -> dict[str, float]:
    """One pose; one of the errors of `_UNREADABLE`, if it has other fields."""
    if set(pose) != set(_POSE):
        raise ValueError("other fields")
    return {field: _read_number(pose[field]) for field in _POSE}


def _check_pose(pose: dict[str, float]) -> None:
    """Refuse a pose that no camera can have."""
    if not 0 <= pose["time"] <= 1:
        raise _wrong("time", pose["time"], "is a share of the film, 0 to 1")
    if not -90 <= pose["elevation"] <= 90:
        raise _wrong("elevation", pose["elevation"], "is in degrees, -90 to 90")
    if pose["distance"] <= 0:
        raise _wrong("distance", pose["distance"], "is above 0; 1 leaves it as it is")


def _check_order(poses: list[dict[str, float]]) -> None:
    """Refuse poses whose times do not grow."""
    for earlier, later in itertools.pairwise(poses):
        if later["time"] <= earlier["time"]:
            raise _wrong("time", later["time"], f"must be after the {earlier['time']:g} before it")


def _check_travel(poses: list[dict[str, float]]) -> None:
    """Refuse a way of more turns than the camera makes."""
    steps = itertools.pairwise(poses)
    degrees = sum(abs(later["azimuth"] - earlier["azimuth"]) for earlier, later in steps)
    if degrees > _MOST_DEGREES:
        raise _wrong("azimuth", degrees, "may change by 32 turns in all, 11520 degrees")


def _wrong(field: str, value: float, rule: str) -> VeniceError:
    """The error for a number of a pose."""
    return VeniceError(f"In 'camera_trajectory', {field} {rule}, not {value:g}. Correct it.")
