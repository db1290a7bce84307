"""Databases that a test makes and takes away again."""

import psycopg
from psycopg import sql


def as_superuser(server_url: str) -> str:
    """The same server as the role that may do all."""
    return server_url.replace("sps_owner@", "postgres@")


def create_database(url: str, name: str, template: str = "template1") -> None:
    """Create `name`, a copy of `template`, that belongs to the role of `url`."""
    with psycopg.connect(url, autocommit=True) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))


def drop_database(server_url: str, name: str) -> None:
    """Drop `name` if there is one, whoever is still connected to it.

    As a superuser: an autovacuum worker that happens to be in it may be ended by nobody else.
    """
    with psycopg.connect(as_superuser(server_url), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
