"""`sps doctor`: what is wrong with this machine, this database or these settings, each with how to mend it."""

import json
from dataclasses import asdict

import click

from cli.doctor_database import database_findings
from cli.doctor_settings import Finding, State, machine_findings, settings_findings
from cli.trouble import Trouble
from settings import get_settings

_MARKS = {State.OK: ("ok  ", "green"), State.WARN: ("warn", "yellow"), State.FAIL: ("FAIL", "red")}


def examine(*, as_json: bool) -> int:
    """Print what was found; the answer is an exit code, 1 when something fails. Nothing is changed."""
    found = machine_findings()
    try:
        from cli.configuration import reload

        reload()
    except Trouble as trouble:
        found.append(
            Finding(
                "settings",
                State.FAIL,
                trouble.message,
                "Correct or unset the variable; docs/configuration.md lists all.",
            )
        )
    else:
        settings = get_settings()
        found += settings_findings(settings)
        found += database_findings(settings)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        for finding in found:
            mark, colour = _MARKS[finding.state]
            click.echo(f"{click.style(mark, fg=colour)}  {finding.name:<16}{finding.found}")
            if finding.mend:
                click.echo(f"{'':<22}{click.style(finding.mend, dim=True)}")
    return 1 if any(finding.state is State.FAIL for finding in found) else 0
