"""Tokens of day plans: what was shown is what is applied, by the business that it was shown to, for some minutes."""

import json
import zlib
from datetime import datetime
from uuid import UUID

from auth.signed_token import sign, verify
from domain.day_plan_propose import Proposal
from domain.day_plan_token import PlanToken, token_content, token_from_content

_PURPOSE = "day plan"


def day_plan_token(secret: str, tenant_id: UUID, location_id: UUID, proposal: Proposal, expires_at: datetime) -> str:
    """A token of a proposal. Some 30 bytes for each change."""
    content = json.dumps(token_content(proposal, location_id), separators=(",", ":"))
    return sign(secret, _PURPOSE, tenant_id.bytes + zlib.compress(content.encode(), 9), expires_at)


def read_day_plan_token(secret: str, tenant_id: UUID, token: str) -> PlanToken | None:
    """The plan, or None when the token is forged, another business's, or too old."""
    packed = verify(secret, _PURPOSE, token)
    if packed is None or packed[:16] != tenant_id.bytes:
        return None
    return token_from_content(json.loads(zlib.decompress(packed[16:])))
