"""Exports in the schema."""

from datetime import datetime

import strawberry

from domain.export import ExportState
from domain.ids import Prefix
from models.export import Export as ExportRow
from permissions.scopes import Scope
from resolvers.export import export_url, list_exports, request_export
from schema.checks import Payload
from schema.context import Info
from schema.fields import mutation, query, relation
from schema.node import Node, node_id

strawberry.enum(ExportState)


@strawberry.type
class Export(Node):
    """Everything that belongs to the business, in one archive."""

    row: strawberry.Private[ExportRow]
    state: ExportState
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, row: ExportRow) -> "Export":
        """The object of a row."""
        return cls(
            row=row,
            id=node_id(Prefix.EXPORT, row.id),
            state=row.state,
            created_at=row.created_at,
            expires_at=row.expires_at,
        )

    @relation(Scope.EXPORTS_READ, "A signed link to one ZIP of JSON Lines, CSV and the attachments; null until READY.")
    async def url(self, info: Info) -> str | None:
        """Where the archive can be read until it expires."""
        return export_url(info.context.settings, self.row)


@strawberry.type
class ExportRequestPayload(Payload):
    """The export, or why there is none."""

    export: Export | None = None


@strawberry.type
class ExportQuery:
    """Root fields."""

    @query(Scope.EXPORTS_READ)
    async def exports(self, info: Info) -> list[Export] | None:
        """The business's exports, newest first; each is kept for seven days."""
        return [Export.of(row) for row in await list_exports(info.context.caller)]


@strawberry.type
class ExportMutation:
    """Root fields."""

    @mutation(Scope.EXPORTS_WRITE)
    async def export_request(self, info: Info) -> ExportRequestPayload:
        """Have everything exported. While one is being written, it is that one."""
        return ExportRequestPayload(export=Export.of(await request_export(info.context.caller)))
