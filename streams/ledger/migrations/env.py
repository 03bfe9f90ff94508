"""What alembic runs: the steps, on the connection and in the transaction that `streams.ledger.schema` hands it."""

from alembic import context

from streams.ledger.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=context.config.get_main_option("version_table") or "",
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
