"""The command line: `sps up` and its siblings. What a command needs is imported when it runs, so that each starts quickly."""

import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from cli.trouble import say, tell

BEGAN = time.monotonic()
PORT = click.IntRange(1, 65535)
JSON = click.option("--json", "as_json", is_flag=True, help="Print what was done on stdout, for programs.")
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Service Pro Stream, the backend of a field-service platform."""


@main.command()
@click.option("--port", type=PORT, help="Port to listen on.  [default: SPS_PORT, or 8000]")
@click.option("--host", help="Address to listen on.  [default: SPS_HOST, or 127.0.0.1]")
@click.option("--data-dir", type=FOLDER, help="Folder of the database and files.  [default: SPS_DATA_DIR, or .sps]")
@click.option("--demo/--no-demo", default=True, help="Seed a demo business on the first start.  [default: --demo]")
def up(port: int | None, host: str | None, data_dir: Path | None, demo: bool) -> None:
    """Create what is missing, start database, server and worker, and run until Ctrl-C."""
    from cli.up import up as run

    run(host=host, port=port, data_dir=data_dir, demo=demo, began=BEGAN)


@main.command(context_settings={"ignore_unknown_options": True})
@click.option("--soak", is_flag=True, help="Run the full-size tests too.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def test(context: click.Context, soak: bool, pytest_arguments: tuple[str, ...]) -> None:
    """Check style, import rules and types, and run the tests; arguments go to pytest."""
    from cli.suite import run

    context.exit(run(soak=soak, pytest_arguments=pytest_arguments))


@main.command()
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that share the port."
)
@click.option("--port", type=PORT, help="Port to listen on.  [default: SPS_PORT, or 8000]")
@click.option("--host", help="Address to listen on.  [default: SPS_HOST, or 127.0.0.1]")
@click.option("--listen-fd", type=int, hidden=True)
@click.option("--parent-fd", type=int, hidden=True)
def serve(workers: int, port: int | None, host: str | None, listen_fd: int | None, parent_fd: int | None) -> None:
    """Run the server alone, on a database that is migrated."""
    from cli.serve import serve as run

    run(workers=workers, host=host, port=port, listen_fd=listen_fd, parent_fd=parent_fd)


@main.command()
@click.option("--parent-fd", type=int, hidden=True)
def worker(parent_fd: int | None) -> None:
    """Run a worker alone: messages, webhooks and what falls due."""
    from cli.worker import work

    work(parent_fd=parent_fd)


@main.command()
@JSON
def migrate(as_json: bool) -> None:
    """Bring the database to this version's schema, and the app's role to its rights."""
    from cli.configuration import load
    from cli.database import administered

    with administered(load()) as access:
        from models.migrate import upgrade

        done = upgrade(access.migrator_url, access.app_role)
    if as_json:
        tell({"from": done.before, "to": done.after, "appRole": access.app_role})
    else:
        say(f"the database is current; the app's role is {access.app_role}")


@main.command()
@JSON
def seed(as_json: bool) -> None:
    """Fill the database with the demo business, unless it is there."""
    from cli.seed import seed_configured

    log_in = seed_configured()
    if as_json:
        tell(asdict(log_in))
        return
    what = "seeded" if log_in.created else "the demo business was there already"
    say(f"{what}: {log_in.email}, password {log_in.password}")


@main.command()
@click.option("--documents", is_flag=True, help="Print the trusted documents by their ids instead, as JSON.")
def schema(documents: bool) -> None:
    """Print the GraphQL schema."""
    if documents:
        import json

        from web.pages_operations import operations
        from web.trusted_documents import manifest

        click.echo(json.dumps(manifest(operations().values()), indent=1))
        return
    from schema.root import schema as root

    click.echo(root.as_str())


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@JSON
def backup(file: Path, as_json: bool) -> None:
    """Dump the database into FILE, encrypted; docs/backups.md tells of the key."""
    from cli.backup import backup as run

    done = run(file)
    if as_json:
        tell(asdict(done))
    else:
        say(f"wrote {file}, {done.bytes:,} bytes, encrypted for {done.recipient}")


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Drop what the database holds; otherwise it must be empty.")
def restore(file: Path, replace: bool) -> None:
    """Put the backup in FILE into the database: all of it, or nothing."""
    from cli.backup import restore as run

    run(file, replace=replace)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Check this machine, the database and the settings, and say how to mend what is wrong."""
    from cli.doctor import examine

    context.exit(examine(as_json=as_json))


@main.command()
@click.option("--url", help="Where the server is.  [default: that of this machine's settings]")
@click.option(
    "--speed", type=click.FloatRange(1, 600), default=60, show_default=True, help="Simulated seconds a second."
)
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Which day.  [default: today]")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def simulate(url: str | None, speed: float, day: datetime | None, quiet: bool) -> None:
    """Play a working day of the demo business, to see the board alive: drives, arrivals, bookings."""
    import asyncio

    from cli.configuration import load
    from cli.simulate import simulate as run
    from resolvers.demo import DEMO_EMAIL, DEMO_PASSWORD

    where = url or load().origin
    on = day.date() if day else None
    try:
        visits = asyncio.run(run(where, DEMO_EMAIL, DEMO_PASSWORD, speed=speed, day=on, quiet=quiet))
    except KeyboardInterrupt:
        say("stopped; what was played stays")
        return
    say(f"the day is over: {visits} visits")


@main.command(hidden=True)
def docs() -> None:
    """Write the parts of the documentation that follow from the code."""
    from cli.docs import write

    for path in write():
        say(f"wrote {path.name}")


if __name__ == "__main__":
    main(prog_name="sps")
