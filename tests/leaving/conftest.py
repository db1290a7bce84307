"""The same benches as the files' tests."""

from tests.files.conftest import bench, bucket, folder

__all__ = ["bench", "bucket", "folder"]
