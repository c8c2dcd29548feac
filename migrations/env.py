"""How Alembic reaches the database: through the service's own login, one transaction a version."""

from alembic import context
from sqlalchemy import create_engine, pool

from geo.settings import Settings

url = context.config.attributes.get("url") or Settings.from_env().database_url
engine = create_engine(url, poolclass=pool.NullPool)
with engine.connect() as connection:
    # Two starters at once: the second waits here and then finds nothing left to do.
    connection.exec_driver_sql("select pg_advisory_lock(hashtext('gohelle migrations'))")
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True, version_table="gohelle_migrations")
    with context.begin_transaction():
        context.run_migrations()
