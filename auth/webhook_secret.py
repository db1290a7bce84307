"""Secrets of webhook endpoints: shown once, never stored, since each follows from the server's key and the endpoint's id."""

import base64
import hashlib
import hmac
from uuid import UUID

PREFIX = "whsec_"


def webhook_secret(secret: str, tenant_id: UUID, endpoint_id: UUID) -> str:
    """The secret that deliveries to an endpoint are signed with, as Standard Webhooks writes it.

    Args:
        secret: SPS_SECRET_KEY. Whoever has only the database can sign nothing; a new key means new secrets for all endpoints.
    """
    key = hmac.digest(secret.encode(), b"webhook endpoint", hashlib.sha256)
    return PREFIX + base64.b64encode(hmac.digest(key, tenant_id.bytes + endpoint_id.bytes, hashlib.sha256)).decode()
