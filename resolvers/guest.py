"""What a use case is given that nobody has logged in for."""

from dataclasses import dataclass

from models.database import Database
from permissions.visitor import Visitor
from resolvers.security_log import SecurityLog
from settings import Settings


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody unknown, with the way to the database and a place for what is refused."""

    database: Database
    settings: Settings
    visitor: Visitor
    log: SecurityLog

    @property
    def secret(self) -> str:
        """SPS_SECRET_KEY."""
        return self.settings.secret_key.get_secret_value()
