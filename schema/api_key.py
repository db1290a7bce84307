"""API keys of partners in the schema."""

from datetime import datetime

import strawberry

from domain.ids import Prefix
from models.api_key import ApiKey as ApiKeyRow
from permissions.scopes import Scope
from resolvers.api_key import create_api_key, list_api_keys, revoke_api_key
from schema.checks import Payload
from schema.context import Info
from schema.fields import mutation, query
from schema.node import Node, id_of, node_id


@strawberry.type
class ApiKey(Node):
    """A key of a partner. It belongs to the business and not to whoever made it."""

    name: str
    prefix: str = strawberry.field(description="Shown in lists so that a key can be told apart: sps_live_AbCd…")
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None = strawberry.field(description="To the minute.")
    expires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: ApiKeyRow) -> "ApiKey":
        """The object of a row."""
        return cls(
            id=node_id(Prefix.API_KEY, row.id),
            name=row.name,
            prefix=row.prefix,
            scopes=row.scopes,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
        )


@strawberry.input
class ApiKeyCreateInput:
    """A new key, with scopes that its maker has."""

    name: str
    scopes: list[str]
    expires_at: datetime | None = None


@strawberry.input
class ApiKeyRevokeInput:
    """Which key."""

    api_key_id: strawberry.ID


@strawberry.type
class ApiKeyCreatePayload(Payload):
    """The key, or why there is none."""

    api_key: ApiKey | None = None
    key: str | None = strawberry.field(default=None, description="Shown here and never again.")


@strawberry.type
class ApiKeyRevokePayload(Payload):
    """The key, or why nothing changed."""

    api_key: ApiKey | None = None


@strawberry.type
class ApiKeyQuery:
    """Root fields."""

    @query(Scope.API_KEYS_READ)
    async def api_keys(self, info: Info) -> list[ApiKey] | None:
        """All keys, newest first, revoked ones too."""
        return [ApiKey.of(row) for row in await list_api_keys(info.context.caller)]


@strawberry.type
class ApiKeyMutation:
    """Root fields."""

    @mutation(Scope.API_KEYS_WRITE, "Nobody can give a scope that they lack.")
    async def api_key_create(self, info: Info, input: ApiKeyCreateInput) -> ApiKeyCreatePayload:
        """Make a key for a partner."""
        row, key = await create_api_key(info.context.caller, input.name, input.scopes, input.expires_at)
        return ApiKeyCreatePayload(api_key=ApiKey.of(row), key=key)

    @mutation(Scope.API_KEYS_WRITE)
    async def api_key_revoke(self, info: Info, input: ApiKeyRevokeInput) -> ApiKeyRevokePayload:
        """Make a key worthless at once; its websockets close."""
        row = await revoke_api_key(info.context.caller, id_of(Prefix.API_KEY, input.api_key_id, "API key", "apiKeyId"))
        return ApiKeyRevokePayload(api_key=ApiKey.of(row))
