"""Looking for a string everywhere: in every column of every table that holds text, and in every file."""

import io
import zipfile

import psycopg
from psycopg import sql

from tests.files.bench import Bench


def tables_with(super_url: str, words: list[str]) -> list[tuple[str, str]]:
    """Table and word of each find, over all schemas of the database, read by a role that row-level security does not bind."""
    found = []
    with psycopg.connect(super_url) as connection:
        names = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert len(names) > 30
        for schema, table in names:
            # A row as text is all of its columns: json, arrays and bytes in hexadecimal included.
            rows = sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(schema, table))
            for (row,) in connection.execute(rows):
                hexadecimal = row.lower()
                found += [
                    (f"{schema}.{table}", word) for word in words if word in row or word.encode().hex() in hexadecimal
                ]
    return found


def files_with(bench: Bench, words: list[str]) -> list[str]:
    """Words that stand in some file, archives unpacked."""
    content = [bench.content()]
    for each in bench.bucket.objects.values() if bench.bucket else _files(bench):
        if each[:2] == b"PK":
            archive = zipfile.ZipFile(io.BytesIO(each))
            content += [archive.read(name) for name in archive.namelist()]
    return [word for word in words if any(word.encode() in each for each in content)]


def _files(bench: Bench) -> list[bytes]:
    return [path.read_bytes() for path in (bench.settings.data_dir / "files").rglob("*") if path.is_file()]
