"""${message}

Forward only, and safe while the version before it still runs: add first, fill next, tighten later; create indexes of
large tables concurrently; take no lock that readers wait for longer than a moment.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
