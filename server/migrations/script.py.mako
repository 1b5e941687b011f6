"""${message}

Revision ID: ${up_revision}
Revises: ${down_revision or "nothing"}
"""

import sqlalchemy as sa
from alembic import op
${imports or ""}

revision = "${up_revision}"
down_revision: str | None = ${f'"{down_revision}"' if down_revision else None}
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make the change."""
    ${upgrades or "pass"}


def downgrade() -> None:
    """Take the change back."""
    ${downgrades or "pass"}
