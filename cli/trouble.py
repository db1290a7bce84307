"""What goes wrong through no fault of ours: one sentence on stderr, exit code 1, no traceback."""

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
