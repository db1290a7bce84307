"""What a command says: to people on stderr, to programs on stdout.

What goes wrong through no fault of ours is one sentence, exit code 1, no traceback.
"""

import json
from collections.abc import Mapping
from typing import IO, Any

import click


class Trouble(click.ClickException):
    """Something that the person who typed the command can mend; the message is one sentence that says what."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence."""
        say(self.message)


def say(text: str) -> None:
    """Tell the person at the terminal something, on stderr; click drops the colours where there is no terminal."""
    click.echo(click.style("sps: ", fg="cyan") + text, err=True)


def tell(result: Mapping[str, object]) -> None:
    """Tell a program what was done: one JSON object on stdout, which nothing else is printed on."""
    click.echo(json.dumps(result, indent=2))
