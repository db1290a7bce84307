"""What the privacy policy promises by what there is not: other cookies, other recipients, other data, pages that call elsewhere."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Table

from auth import cookies
from models.all import metadata

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "auth", "cli", "domain", "integrations", "models", "permissions", "resolvers", "schema", "settings",
    "subscriptions", "web", "workers",
)  # fmt: skip
# Whoever is handed data, by section 5 of the policy, and the one module that hands it over.
RECIPIENTS = {
    "integrations/payments_stripe.py": "Stripe",
    "integrations/sms_twilio.py": "Twilio",
    "integrations/email_smtp.py": "Email delivery partner",
    "integrations/geocoding_geopy.py": "Mapping and geocoding",
    "integrations/travel_time_http.py": "Mapping and geocoding",
    "integrations/file_store_s3.py": "Cloud storage",
    # The business's own servers, at addresses that it names.
    "integrations/webhook.py": "the business",
    # Cloud hosting: between our own processes.
    "subscriptions/backends.py": "Cloud hosting",
    "workers/broker.py": "Cloud hosting",
    "workers/run.py": "Cloud hosting",
    # Asks the process that it has started whether it is up.
    "cli/up.py": "nobody",
    # Plays a day on our own server, as a browser would.
    "cli/simulate.py": "nobody",
}
CLIENTS = frozenset(
    {
        "aiohttp", "aiosmtplib", "boto3", "geopy", "http", "httpcore", "httpx", "pika", "redis", "requests", "smtplib",
        "stripe", "twilio", "urllib3",
    }
)  # fmt: skip
# Libraries that would hand data to somebody whom the policy does not name.
UNNAMED = re.compile(
    r"analytics|segment|mixpanel|amplitude|posthog|facebook|google-ads|googleads|openai|anthropic|cohere|mistral|"
    r"langchain|transformers|torch|tensorflow|sentry|datadog|newrelic|bugsnag|mailchimp|hubspot|salesforce",
    re.IGNORECASE,
)
# Data that the policy does not say we collect.
UNSAID = re.compile(
    r"birth|gender|ssn|social_sec|race|ethnic|religio|passport|licen[cs]e|iban|card|cvc|cvv|fingerprint|device_id|"
    r"advert|campaign|audience|promo|marketing|newsletter|embedding|training",
    re.IGNORECASE,
)


def sources() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def imported(module: ast.Module) -> set[str]:
    """The top-level names of what a module imports."""
    names = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_data_leaves_by_the_modules_that_are_named_and_by_no_other() -> None:
    leaving = {path for path, module in sources() if imported(module) & CLIENTS}
    assert leaving <= set(RECIPIENTS), "section 5 of the policy names all recipients: name this one there first"


def test_every_recipient_is_named_in_the_policy() -> None:
    policy = (ROOT / "docs/privacy-policy.txt").read_text(encoding="utf-8")
    for recipient in set(RECIPIENTS.values()) - {"the business", "nobody"}:
        assert recipient in policy, recipient


def test_no_library_trains_models_tracks_or_advertises() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(each for part in project["optional-dependencies"].values() for each in part)]
    assert [each for each in wanted if UNNAMED.search(each)] == []


def columns() -> Iterator[tuple[Table, str]]:
    for table in metadata.sorted_tables:
        for column in table.c:
            yield table, column.name


def test_no_column_holds_what_the_policy_does_not_say() -> None:
    assert [f"{table.name}.{name}" for table, name in columns() if UNSAID.search(name)] == []
    # The expression finds such names.
    assert all(UNSAID.search(name) for name in ("date_of_birth", "card_number", "campaign_id", "marketing_opt_in"))


def test_one_module_sets_cookies_and_there_are_two() -> None:
    setting = set()
    for path, module in sources():
        for node in ast.walk(module):
            if isinstance(node, ast.Constant) and str(node.value).lower() == "set-cookie":
                setting.add(path)
    assert setting == {"auth/cookies.py"}
    names = {value for name, value in vars(cookies).items() if name in {"SESSION", "CSRF"}}
    assert names == {"sps_session", "sps_csrf"}
    text = (ROOT / "auth/cookies.py").read_text(encoding="utf-8")
    assert "Domain=" not in text, "a cookie of this host alone is first-party"


def test_pages_ask_no_other_server_for_anything() -> None:
    # Names of specifications, which nobody asks anything.
    specifications = ("http://www.w3.org/", "https://www.w3.org/")
    for path in sorted((ROOT / "web").rglob("*")):
        if path.suffix not in {".html", ".js", ".mjs", ".css", ".svg", ".jinja"}:
            continue
        text = path.read_text(encoding="utf-8")
        found = re.findall(
            r"(?:src|href|url|import|fetch|action)\s*[=(]\s*[\"'`]?\s*((?:https?:)?//[^\s\"'`)>]+)", text
        )
        assert [each for each in found if not each.startswith(specifications)] == [], path.name
