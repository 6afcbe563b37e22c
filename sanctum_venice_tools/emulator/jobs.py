"""The endpoints of jobs that take a while: queued, asked after, taken away, deleted."""

import secrets
from collections.abc import Callable
from typing import Any

from starlette.responses import JSONResponse, Response

from sanctum_venice_tools.emulator.catalogue import Model
from sanctum_venice_tools.emulator.errors import ApiError, custom, standard
from sanctum_venice_tools.emulator.job import Job
from sanctum_venice_tools.emulator.service import Call

MOST_DOWNLOADS = 10


def queue(call: Call, kind: str, model: Model, make: Callable[[], bytes], media_type: str) -> Job:
    """Begin a job."""
    private = model["id"].endswith("-private")
    seconds = call.service.settings.job_seconds
    job = Job(kind, model, make, media_type, seconds, private)
    call.service.jobs[job.id] = job
    return job


def _find(call: Call, kind: str) -> Job | None:
    """The job that a request names; the model has to be the one that it was queued with."""
    job: Job | None = call.service.jobs.get(call.body["queue_id"])
    return job if job and job.kind == kind and job.model["id"] == call.body["model"] else None


def _unknown(kind: str) -> ApiError:
    """What is said of a job that is unknown, expired or deleted.

    For films it has changed since the document.
    """
    if kind == "video":
        return standard(400, "Request ID is invalid.")
    return standard(404, "Audio not found: the request id is invalid, expired or deleted")


def retrieve(kind: str) -> Callable[[Call], Any]:
    """The endpoint that asks after jobs of a kind."""

    async def endpoint(call: Call) -> Response:
        job = _find(call, kind)
        if not job:
            raise _unknown(kind)
        if not job.done:
            return JSONResponse(job.progress("PROCESSING"))
        if job.private:
            return JSONResponse(job.progress("COMPLETED"))
        file = await job.file()
        if call.body.get("delete_media_on_completion"):
            del call.service.jobs[job.id]
        return Response(file, media_type=job.media_type)

    return endpoint


def complete(kind: str) -> Callable[[Call], Any]:
    """The endpoint that deletes what jobs of a kind have made."""

    async def endpoint(call: Call) -> Response:
        job = _find(call, kind)
        if kind == "video":  # it knows none of the ids that /video/queue gives
            raise _unknown(kind)
        if not job:
            raise custom("queue_id", "Request ID not found")
        if job.done:
            del call.service.jobs[job.id]
        return JSONResponse({"success": job.done})

    return endpoint


async def download(call: Call) -> Response:
    """GET or DELETE the address that a private model hands out: without a key, a few times only."""
    service, token = call.service, call.path["token"]
    job = next(
        (
            job
            for job in service.jobs.values()
            if secrets.compare_digest(job.token.encode(), token.encode())
        ),
        None,
    )
    if job is None:
        raise standard(410, "This download has been revoked or has expired.")
    if "authorization" in call.request.headers:
        raise standard(
            400, "Only one auth mechanism is allowed: do not send an Authorization header."
        )
    if call.request.method == "DELETE":
        del service.jobs[job.id]
        return Response(status_code=204)
    if not job.done:
        raise standard(404, "The file is not ready.")
    job.downloads += 1
    if job.downloads > MOST_DOWNLOADS:
        raise standard(429, "Too many downloads.")
    return Response(await job.file(), media_type=job.media_type)
