"""The pages' policy lets a browser reach the bucket that URLs are signed for, and nothing beside it."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from integrations.file_store_s3 import S3Files
from settings import Settings
from web.pages import content_policy

OURS = {"img-src": {"'self'", "data:", "blob:"}, "connect-src": {"'self'"}}
MINUTE = timedelta(minutes=1)


def directives(settings: Settings) -> dict[str, set[str]]:
    parts = (each.split() for each in content_policy(settings).split(";"))
    return {name: set(sources) for name, *sources in parts}


@pytest.mark.parametrize(
    ("bucket", "region", "endpoint", "prefix"),
    [
        ("sps-files", "us-east-1", None, "https://sps-files.s3.amazonaws.com/"),
        ("sps-files", "eu-central-1", None, "https://sps-files.s3.eu-central-1.amazonaws.com/"),
        ("sps-files", "cn-north-1", None, "https://sps-files.s3.cn-north-1.amazonaws.com.cn/"),
        # TLS knows no name with dots in front, so that the bucket is in the path.
        ("files.example.com", "eu-central-1", None, "https://s3.eu-central-1.amazonaws.com/files.example.com/"),
        ("sps-files", "us-east-1", "https://minio.example:9000", "https://minio.example:9000/sps-files/"),
    ],
)
def test_the_bucket_is_allowed_and_no_other(bucket: str, region: str, endpoint: str | None, prefix: str) -> None:
    settings = Settings(
        database_url="postgresql://app@localhost/sps", s3_bucket=bucket, aws_region=region, s3_endpoint_url=endpoint,
    )  # fmt: skip
    found = directives(settings)
    assert {name: found[name] - ours for name, ours in OURS.items()} == {"img-src": {prefix}, "connect-src": {prefix}}
    key = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": SecretStr("secret")}
    store = S3Files(settings.model_copy(update=key))
    assert store.upload_url("a/b.jpg", "image/jpeg", 3, MINUTE).url.startswith(prefix)
    assert store.download_url("a/b.jpg", "b.jpg", "image/jpeg", MINUTE).startswith(prefix)


def test_a_folder_needs_no_other_origin() -> None:
    found = directives(Settings(database_url="postgresql://app@localhost/sps"))
    assert {name: found[name] for name in OURS} == OURS
