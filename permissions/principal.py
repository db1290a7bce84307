"""Who is calling: settled once a request, then only read."""

from dataclasses import dataclass
from uuid import UUID

from domain.tenant import Role


@dataclass(frozen=True, slots=True)
class Principal:
    """A user's session or an API key, of one tenant.

    `technician_id` is set when the user is a technician; `actor` is the name that history shows. A user who must have a
    second factor and has none yet has no scopes: enough to set one up, and for nothing else.
    """

    tenant_id: UUID
    actor: str
    scopes: frozenset[str]
    user_id: UUID | None = None
    session_id: UUID | None = None
    api_key_id: UUID | None = None
    role: Role | None = None
    technician_id: UUID | None = None
    second_factor_missing: bool = False

    def may(self, scope: str) -> bool:
        """Whether the caller has the scope."""
        return scope in self.scopes

    @property
    def own_only(self) -> bool:
        """Whether the caller sees only the appointments of its own technician, and their customers."""
        return self.role is Role.TECHNICIAN
