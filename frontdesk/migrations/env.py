"""What Alembic runs to migrate: on the connection that `frontdesk.schema` hands over, or never."""

from alembic import context

from frontdesk.schema import describe

describe(context, connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
