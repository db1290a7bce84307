"""All changes of a business's data pass one place, which knows how the business stands."""

from pathlib import Path


def test_every_change_of_a_caller_passes_one_place() -> None:
    """`Caller.transact` asks; whoever opens a transaction of a tenant beside it is named here with the reason."""
    beside = {
        "resolvers/account.py": "signing up and logging in",
        "resolvers/billing_event.py": "what the provider says",
        "resolvers/billing_sweep.py": "what the provider says",
        "resolvers/caller.py": "the place itself",
        "resolvers/demo.py": "makes the demo business",
        "resolvers/log_in_session.py": "logging out",
        "resolvers/password.py": "a forgotten password",
        "resolvers/unsubscribe.py": "a customer wants no emails",
        "resolvers/user.py": "accepting an invitation",
    }
    root = Path(__file__).resolve().parents[2]
    found = {
        str(path.relative_to(root))
        for folder in ("resolvers", "schema", "web")
        for path in (root / folder).rglob("*.py")
        if "database.transact(" in path.read_text()
    }
    assert found == set(beside)
