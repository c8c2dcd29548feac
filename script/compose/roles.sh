#!/bin/bash
# Give the database image the service's roles, when it makes its data folder; with passwords, for here they come by TCP.
# The service derives the reader's password from its own (geo/settings.py), so that there is one secret to keep.
set -euo pipefail
psql -X -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres -f /gohelle/roles.sql
psql -X -q -v ON_ERROR_STOP=1 -v password="$GOHELLE_DATABASE_PASSWORD" -U "$POSTGRES_USER" -d postgres <<'SQL'
SELECT encode(sha256(convert_to('gohelle_reader:' || :'password', 'UTF8')), 'hex') AS derived \gset
ALTER ROLE gohelle PASSWORD :'password';
ALTER ROLE gohelle_reader PASSWORD :'derived';
SQL
