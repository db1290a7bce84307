"""The pages that the links of account mails lead to: there, private, and sending only what the schema knows."""

import pytest
from graphql import parse, validate

from schema.root import schema
from tests.service import Service
from web.pages_operations import operations


@pytest.mark.parametrize("path", ["/invitation", "/password-reset"])
async def test_the_pages_of_the_links(service: Service, path: str) -> None:
    client = service.client()
    answer = await client.http.get(service.origin + path)
    assert answer.status_code == 200
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    script = answer.text.partition('<script type="module" src="')[2].partition('"')[0]
    found = await client.http.get(service.origin + script)
    assert found.status_code == 200
    assert "InvitationAccept" in found.text


@pytest.mark.parametrize("name", ["InvitationAccept", "PasswordReset", "PasswordResetRequest"])
def test_what_they_send_fits_the_schema(name: str) -> None:
    assert validate(schema._schema, parse(operations()[name])) == []
