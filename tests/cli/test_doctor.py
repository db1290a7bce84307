"""`sps doctor` finds what would otherwise fail late or silently, and changes nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.doctor_settings import State, settings_findings
from settings import Settings
from tests.cli.test_postgres import sps
from tests.process import ROOT, environment


def diagnosis(**settings: str) -> dict[str, tuple[str, str, str | None]]:
    """What it says by name, and by its exit code whether something fails."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "cli", "doctor", "--json"],
        cwd=ROOT,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = {each["name"]: (each["state"], each["found"], each["mend"]) for each in json.loads(done.stdout)}
    assert done.returncode == any(state == "fail" for state, _, _ in found.values()), done.stderr
    return found


def test_a_fresh_machine_is_well_and_stays_as_it_is(folder: Path) -> None:
    found = diagnosis(SPS_DATA_DIR=str(folder / "data"))
    assert {state for state, _, _ in found.values()} == {"ok"}
    assert {"python", "data folder", "secret key", "settings", "binaries", "database"} <= set(found)
    assert not (folder / "data").exists()


def test_an_unmigrated_database_fails_until_it_is_migrated(folder: Path, database_url: str, owner_url: str) -> None:
    urls = {"DATABASE_URL": database_url, "DATABASE_MIGRATOR_URL": owner_url, "SPS_DATA_DIR": str(folder)}
    found = diagnosis(**urls)
    assert found["migrations"][0] == "ok"
    assert found["app role"][0] == "ok"
    empty = {name: url.replace(owner_url.split("/")[3].split("?")[0], "postgres") for name, url in urls.items()}
    found = diagnosis(**empty)
    assert found["migrations"][0] == "fail"
    assert "sps migrate" in str(found["migrations"][2])


def test_a_role_that_row_security_does_not_bind_fails(folder: Path, owner_url: str) -> None:
    found = diagnosis(DATABASE_URL=owner_url, DATABASE_MIGRATOR_URL=owner_url, SPS_DATA_DIR=str(folder))
    assert found["app role"][0] == "fail"


def test_what_is_wrong_is_printed_with_how_to_mend_it(folder: Path) -> None:
    folder.chmod(0o777)
    (folder / "secrets.json").write_text("{}")
    (folder / "secrets.json").chmod(0o644)
    found = diagnosis(SPS_DATA_DIR=str(folder))
    assert found["data folder"][0] == "warn"
    assert found["secret key"] == ("fail", f"others may read {folder}/secrets.json", f"chmod 600 {folder}/secrets.json")
    assert diagnosis(SPS_PORT="0")["settings"][0] == "fail"
    code, said = sps("doctor", SPS_DATA_DIR=str(folder))
    assert (code, said) == (1, "")


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"twilio_account_sid": "AC1"}, "texts"),
        ({"twilio_account_sid": "AC1", "twilio_auth_token": "t", "twilio_from": "5550100"}, "texts"),
        ({"public_url": "http://app.example.com"}, "public address"),
        ({"public_url": "app.example.com"}, "public address"),
        ({"database_migrator_url": "postgresql://u@h/d"}, "database"),
    ],
)
def test_settings_that_would_fail_silently(settings: dict[str, str], name: str) -> None:
    found = settings_findings(Settings.model_validate(settings))
    assert [each.state for each in found if each.name == name] == [State.FAIL]
    assert all(each.mend for each in found if each.name == name)


def test_settings_that_hold_are_left_alone() -> None:
    settings = {
        "twilio_account_sid": "AC1",
        "twilio_auth_token": "t",
        "twilio_from": "+12065550100",
        "public_url": "https://app.example.com",
    }
    assert {each.state for each in settings_findings(Settings.model_validate(settings))} == {State.OK}
