"""Where the bytes of files lie, for those who outgrow one machine.

It is a bucket of S3, or of what speaks its protocol.

Bytes go to the bucket and come from it by addresses that hold for an hour; they do not pass through
this server. boto3 finds the keys, the region and the endpoint in its usual places
(AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL and so on).
"""

import base64
import hashlib
from typing import Any
from urllib.parse import urlsplit

import boto3  # type: ignore[import-untyped]  # it has no types
from botocore.config import Config  # type: ignore[import-untyped]  # likewise
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # likewise

from sanctum_venice_tools.media_server.index import StoredFile

# Longer than any upload of a tool takes, and than a person looks at a page.
_ADDRESS_SECONDS = 60 * 60

_PIECE = 1 << 20
_NOT_FOUND = 404

__all__ = ["BotoCoreError", "BucketShelf", "ClientError"]


class BucketShelf:
    """A bucket of files, each under its id."""

    def __init__(self, bucket: str, prefix: str = "") -> None:
        self._bucket, self._prefix = bucket, prefix
        self._s3 = boto3.client("s3", config=Config(signature_version="s3v4"))
        self._s3.head_bucket(Bucket=bucket)
        example = urlsplit(self._address("get_object", "x"))
        self.origin = f"{example.scheme}://{example.netloc}"

    def way_in(self, file: StoredFile) -> dict[str, Any]:
        """The bucket, which refuses other bytes than those of this SHA-256."""
        digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
        return {
            "upload": self._address("put_object", file.id, ChecksumSHA256=digest),
            "upload_headers": {"x-amz-checksum-sha256": digest},
        }

    def way_out(self, file: StoredFile, media_type: str, disposition: str) -> str:
        """The bucket, which is told how a browser is to take the file."""
        said = {"ResponseContentType": media_type, "ResponseContentDisposition": disposition}
        return self._address("get_object", file.id, **said)

    def check_room(self) -> None:
        """Nothing: a bucket has no end."""

    def has(self, file: StoredFile) -> bool:
        """Whether the bytes of a file are there.

        Those of a bucket that keeps no sums are read once more.
        """
        place = {"Bucket": self._bucket, "Key": self._key(file.id)}
        try:
            head = self._s3.head_object(**place, ChecksumMode="ENABLED")
        except ClientError as error:
            if _is_not_there(error):
                return False
            raise
        if head["ContentLength"] != file.bytes:
            return False
        kept = head.get("ChecksumSHA256")
        if kept:
            return base64.b64decode(kept).hex() == file.sha256
        digest = hashlib.sha256()
        for piece in self._s3.get_object(**place)["Body"].iter_chunks(_PIECE):
            digest.update(piece)
        return digest.hexdigest() == file.sha256

    def is_gone(self, file: StoredFile) -> bool:
        """Whether the bucket says so: one that is away, or that may not tell, still has it."""
        try:
            self._s3.head_object(Bucket=self._bucket, Key=self._key(file.id))
        except ClientError as error:
            return _is_not_there(error)
        except BotoCoreError:
            return False
        return False

    def read_start(self, file_id: str, count: int) -> bytes:
        """The first bytes of a file.

        Raises:
            FileNotFoundError: It is not there.
        """
        place = {"Bucket": self._bucket, "Key": self._key(file_id)}
        try:
            reply = self._s3.get_object(**place, Range=f"bytes=0-{count - 1}")
        except self._s3.exceptions.NoSuchKey as gone:
            raise FileNotFoundError(file_id) from gone
        return bytes(reply["Body"].read())

    def remove(self, file_id: str) -> None:
        """Take a file away; that it is gone already is well."""
        self._s3.delete_object(Bucket=self._bucket, Key=self._key(file_id))

    def sweep(self) -> None:
        """Nothing: the bucket keeps no parts, and what was never confirmed goes by itself."""

    def _key(self, file_id: str) -> str:
        return f"{self._prefix}{file_id}"

    def _address(self, operation: str, file_id: str, **said: str) -> str:
        """Where an operation on a file can be asked for, for an hour, by who has the address."""
        place = {"Bucket": self._bucket, "Key": self._key(file_id)}
        address: str = self._s3.generate_presigned_url(
            operation, Params={**place, **said}, ExpiresIn=_ADDRESS_SECONDS
        )
        return address


def _is_not_there(error: Any) -> bool:
    """Whether a bucket refused because it has no such file, and for no other reason."""
    status: int = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status == _NOT_FOUND
