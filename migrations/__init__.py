"""Alembic's folder. Each version is hand-written SQL and imports nothing of ours."""
