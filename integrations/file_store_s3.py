"""Files in a private S3 bucket, or in anything that speaks its protocol; the one place that knows boto3."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr

from integrations.file_store import Part, StoreUnavailable, Upload, disposition
from settings import Settings

T = TypeVar("T")
PIECE = 256 * 1024
MISSING = frozenset({"NoSuchKey", "NoSuchUpload", "404"})


class S3Files:
    """Implements FileStore on a bucket. boto3 blocks, so that each call runs in a thread; signing is arithmetic alone.

    Args:
        settings: the bucket, its endpoint and the credentials; without credentials boto3 finds those of the machine.
    """

    def __init__(self, settings: Settings) -> None:
        secret, session = settings.aws_secret_access_key, settings.aws_session_token
        self._bucket = settings.s3_bucket
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=settings.s3_endpoint_url,
            region_name=settings.aws_region,
            aws_access_key_id=settings.aws_access_key_id,
            aws_secret_access_key=secret.get_secret_value() if secret else None,
            aws_session_token=session.get_secret_value() if session else None,
            config=Config(
                signature_version="s3v4",
                # Stand-ins and self-hosted stores have no name for each bucket. "auto" would sign for the name without a
                # region, which sends a new bucket's callers on to its region, where the signature is not valid.
                s3={"addressing_style": "path" if settings.s3_endpoint_url else "virtual"},
                connect_timeout=5,
                read_timeout=30,
                retries={"max_attempts": 3, "mode": "standard"},
                # The newer checksums are trailers that many stores that speak S3 do not know.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    @classmethod
    def url_prefix(cls, settings: Settings) -> str:
        """What all signed URLs begin with, as boto3 makes it up from region, partition and the bucket's name."""
        # Signed for nobody: to find the machine's own credentials may take a call, and they change no host.
        nobody = {"aws_access_key_id": "-", "aws_secret_access_key": SecretStr("-"), "aws_session_token": None}
        signed = cls(settings.model_copy(update=nobody)).upload_url("-", "", 0, timedelta(minutes=1)).url
        return signed.partition("?")[0].removesuffix("-")

    def upload_url(self, key: str, content_type: str, byte_size: int, lasts: timedelta) -> Upload:
        """A URL to put exactly so many bytes of that type under the key: both headers are among what is signed."""
        url = self._client.generate_presigned_url(
            "put_object",
            Params={"Bucket": self._bucket, "Key": key, "ContentType": content_type, "ContentLength": byte_size},
            ExpiresIn=int(lasts.total_seconds()),
        )
        return Upload(url, {"Content-Type": content_type})

    def download_url(self, key: str, file_name: str, content_type: str, lasts: timedelta) -> str:
        """A URL to read the file by, under this name and type."""
        url: str = self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "ResponseContentType": content_type,
                "ResponseContentDisposition": disposition(file_name, content_type),
                "ResponseCacheControl": "private, no-store",
            },
            ExpiresIn=int(lasts.total_seconds()),
        )
        return url

    async def read(self, key: str, at_most: int) -> bytes | None:
        """The content, or its first `at_most` + 1 bytes where it has more; None when there is no such file."""

        def work() -> bytes | None:
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if _code(error) in MISSING:
                    return None
                raise
            with found["Body"] as body:
                content: bytes = body.read(at_most + 1)
                return content

        return await _run(work)

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """The content in pieces; nothing when there is no such file."""
        try:
            found = await _run(lambda: self._client.get_object(Bucket=self._bucket, Key=key))
        except StoreUnavailable as error:
            if isinstance(error.__cause__, ClientError) and _code(error.__cause__) in MISSING:
                return
            raise
        with found["Body"] as body:
            while piece := await _run(lambda: body.read(PIECE)):
                yield piece

    async def write(self, key: str, content: bytes, content_type: str) -> None:
        """Keep a file."""
        await _run(
            lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=content_type)
        )

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove these files; those that are not there are no matter."""

        def work() -> None:
            for key in keys:
                self._client.delete_object(Bucket=self._bucket, Key=key)

        await _run(work)

    async def delete_prefix(self, prefix: str) -> int:
        """Remove all files whose key begins so, unfinished ones too; how many there were."""

        def work() -> int:
            count = 0
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                keys = [{"Key": each["Key"]} for each in page.get("Contents", ())]
                if keys:
                    answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": keys, "Quiet": True})
                    if answer.get("Errors"):
                        raise StoreUnavailable(f"the bucket kept {len(answer['Errors'])} files that were to be removed")
                    count += len(keys)
            for page in self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=prefix
            ):
                for each in page.get("Uploads", ()):
                    self._client.abort_multipart_upload(Bucket=self._bucket, Key=each["Key"], UploadId=each["UploadId"])
            return count

        return await _run(work)

    async def begin(self, key: str, content_type: str) -> str:
        """Begin a file that is written in parts."""
        made = await _run(
            lambda: self._client.create_multipart_upload(Bucket=self._bucket, Key=key, ContentType=content_type)
        )
        return str(made["UploadId"])

    async def append(self, key: str, upload: str, number: int, content: bytes) -> Part:
        """Write a part."""
        made = await _run(
            lambda: self._client.upload_part(
                Bucket=self._bucket, Key=key, UploadId=upload, PartNumber=number, Body=content
            )
        )
        return Part(number, str(made["ETag"]), len(content))

    async def finish(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        """The parts are the file."""
        listed = [{"PartNumber": part.number, "ETag": part.tag} for part in parts]

        def work() -> None:
            try:
                self._client.complete_multipart_upload(
                    Bucket=self._bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": listed}
                )
            except ClientError as error:
                if _code(error) != "NoSuchUpload":
                    raise
                # An earlier attempt got here, and died before it could say so: then the file is there.
                self._client.head_object(Bucket=self._bucket, Key=key)

        await _run(work)

    async def abandon(self, key: str, upload: str) -> None:
        """Forget the parts."""

        def work() -> None:
            try:
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)
            except ClientError as error:
                if _code(error) not in MISSING:
                    raise

        await _run(work)


async def _run(work: Callable[[], T]) -> T:
    with _available():
        return await asyncio.to_thread(work)


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        # The message may hold a signed URL; the code says enough.
        name = _code(error) if isinstance(error, ClientError) else type(error).__name__
        raise StoreUnavailable(f"the bucket: {name}") from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
