"""A stand-in for S3 that checks every signature (SigV4, in headers and in URLs), its expiry and the hash of each body."""

import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

KEY, SECRET, BUCKET = "AKIDSTANDIN", "the bucket's secret", "private"
NS = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@dataclass
class Upload:
    """A multipart upload that was begun."""

    key: str
    parts: dict[int, bytes] = field(default_factory=dict)


@dataclass
class S3StandIn:
    """The bucket. `now` can be moved; `fails` counts down requests of ours that are answered with 503; pages of
    `allowed_origin` may put files, as a CORS rule of a bucket says."""

    port: int = 0
    objects: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    ahead: timedelta = timedelta(0)
    fails: int = 0
    allowed_origin: str = ""

    def settings(self) -> dict[str, Any]:
        return {
            "s3_bucket": BUCKET,
            "s3_endpoint_url": f"http://127.0.0.1:{self.port}",
            "aws_access_key_id": KEY,
            "aws_secret_access_key": SECRET,
        }


@contextmanager
def s3_stand_in() -> Iterator[S3StandIn]:
    """Serve a bucket on a free port until the block ends."""
    bucket = S3StandIn()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"bucket": bucket}))
    server.daemon_threads = True
    bucket.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Refused(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class _Handler(BaseHTTPRequestHandler):
    bucket: S3StandIn
    protocol_version = "HTTP/1.1"
    # Headers and body are two writes: the second would wait 40 ms for the other side's acknowledgement.
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _handle(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        path, self.query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        self.key = unquote(path).removeprefix(f"/{BUCKET}").lstrip("/")
        self.bucket.requests.append(f"{self.command} {self.key}")
        try:
            self._check(path, body)
            self._do(body)
        except _Refused as error:
            self._answer(error.status, f"<Error><Code>{error.code}</Code></Error>".encode())

    def do_OPTIONS(self) -> None:
        """A browser asks whether a page may."""
        self._answer(200 if self.bucket.allowed_origin else 403)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _handle  # noqa: N815

    def _check(self, path: str, body: bytes) -> None:
        """SigV4, after Amazon's "Authenticating Requests"."""
        authorization = self.headers.get("authorization")
        if authorization:
            fields = dict(part.strip().split("=", 1) for part in authorization.partition(" ")[2].split(","))
            credential, signed, given = fields["Credential"], fields["SignedHeaders"], fields["Signature"]
            stamp, payload = self.headers["x-amz-date"], self.headers["x-amz-content-sha256"]
            if payload not in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()):
                raise _Refused(400, "XAmzContentSHA256Mismatch")
            query, lasts = self.query, timedelta(minutes=15)
        elif "X-Amz-Signature" in self.query:
            credential, signed = self.query["X-Amz-Credential"], self.query["X-Amz-SignedHeaders"]
            given, stamp, payload = self.query["X-Amz-Signature"], self.query["X-Amz-Date"], "UNSIGNED-PAYLOAD"
            query = {name: value for name, value in self.query.items() if name != "X-Amz-Signature"}
            lasts = timedelta(seconds=int(self.query["X-Amz-Expires"]))
            if lasts > timedelta(days=7):
                raise _Refused(400, "AuthorizationQueryParametersError")
        else:
            raise _Refused(403, "AccessDenied")
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if datetime.now(UTC) + self.bucket.ahead > at + lasts:
            raise _Refused(403, "AccessDenied")
        name, day, region, service, _ = credential.split("/")
        lines = "".join(f"{each}:{' '.join((self.headers.get(each) or '').split())}\n" for each in signed.split(";"))
        pairs = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(query.items()))
        request = "\n".join([self.command, path, pairs, lines, signed, payload])
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, f"{day}/{region}/{service}/aws4_request", digest])
        key = f"AWS4{SECRET}".encode()
        for part in (day, region, service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        if name != KEY or not hmac.compare_digest(hmac.new(key, text.encode(), "sha256").hexdigest(), given):
            raise _Refused(403, "SignatureDoesNotMatch")

    def _do(self, body: bytes) -> None:
        if self.bucket.fails > 0:
            self.bucket.fails -= 1
            raise _Refused(503, "SlowDown")
        match self.command:
            case "PUT" if "partNumber" in self.query:
                self._upload().parts[int(self.query["partNumber"])] = body
                self._answer(200, etag=hashlib.md5(body).hexdigest())  # noqa: S324
            case "PUT":
                self.bucket.objects[self.key] = body
                self.bucket.types[self.key] = self.headers.get("content-type") or ""
                self._answer(200)
            case "POST" if "uploads" in self.query:
                name = f"upload-{len(self.bucket.requests)}"
                self.bucket.uploads[name] = Upload(self.key)
                self._xml("InitiateMultipartUploadResult", f"<UploadId>{name}</UploadId>")
            case "POST" if "uploadId" in self.query:
                self._complete(body)
            case "POST" if "delete" in self.query:
                for each in ElementTree.fromstring(body).iter(f"{NS}Key"):  # noqa: S314
                    self.bucket.objects.pop(each.text or "", None)
                self._xml("DeleteResult", "")
            case "DELETE" if "uploadId" in self.query:
                self._upload()
                del self.bucket.uploads[self.query["uploadId"]]
                self._answer(204)
            case "DELETE":
                self.bucket.objects.pop(self.key, None)
                self._answer(204)
            case "GET" if "list-type" in self.query:
                self._list()
            case "GET" if "uploads" in self.query:
                found = [(n, u.key) for n, u in self.bucket.uploads.items() if u.key.startswith(self.query["prefix"])]
                rows = [f"<Upload><Key>{escape(k)}</Key><UploadId>{n}</UploadId></Upload>" for n, k in found]
                self._xml("ListMultipartUploadsResult", f"<IsTruncated>false</IsTruncated>{''.join(rows)}")
            case _:
                self._read()

    def _upload(self) -> Upload:
        upload = self.bucket.uploads.get(self.query["uploadId"])
        if upload is None or upload.key != self.key:
            raise _Refused(404, "NoSuchUpload")
        return upload

    def _complete(self, body: bytes) -> None:
        upload, whole, numbers = self._upload(), b"", []
        for part in ElementTree.fromstring(body).iter(f"{NS}Part"):  # noqa: S314
            number = int(part.findtext(f"{NS}PartNumber") or 0)
            tag = (part.findtext(f"{NS}ETag") or "").strip('"')
            content = upload.parts.get(number)
            if content is None or hashlib.md5(content).hexdigest() != tag:  # noqa: S324
                raise _Refused(400, "InvalidPart")
            numbers.append(number)
            whole += content
        if numbers != sorted(set(numbers)):
            raise _Refused(400, "InvalidPartOrder")
        self.bucket.objects[self.key] = whole
        del self.bucket.uploads[self.query["uploadId"]]
        self._xml("CompleteMultipartUploadResult", "")

    def _list(self) -> None:
        found = sorted(key for key in self.bucket.objects if key.startswith(self.query.get("prefix", "")))
        rows = [f"<Contents><Key>{escape(key)}</Key></Contents>" for key in found[:1000]]
        self._xml("ListBucketResult", f"<IsTruncated>false</IsTruncated>{''.join(rows)}")

    def _read(self) -> None:
        content = self.bucket.objects.get(self.key)
        if content is None:
            raise _Refused(404, "NoSuchKey")
        extra = {
            name.removeprefix("response-"): value for name, value in self.query.items() if name.startswith("response-")
        }
        self._answer(200, content, **extra)

    def _xml(self, name: str, inner: str) -> None:
        self._answer(200, f'<{name} xmlns="{NS[1:-1]}">{inner}</{name}>'.encode())

    def _answer(self, status: int, body: bytes = b"", etag: str | None = None, **headers: str) -> None:
        self.send_response(status)
        if etag:
            self.send_header("ETag", f'"{etag}"')
        for name, value in headers.items():
            self.send_header(name, value)
        if origin := self.bucket.allowed_origin:
            self.send_header("Access-Control-Allow-Origin", origin)
            self.send_header("Access-Control-Allow-Methods", "PUT")
            self.send_header("Access-Control-Allow-Headers", "content-type")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
