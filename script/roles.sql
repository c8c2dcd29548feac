-- The database and the roles of the service, made by PostgreSQL's superuser wherever they are missing (psql; run any number of times).
-- What a role may see is not said here: that belongs to the migrations.
\set QUIET on
SET client_min_messages = warning;

SELECT 'CREATE ROLE gohelle' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gohelle') \gexec
SELECT 'CREATE ROLE gohelle_reader' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gohelle_reader') \gexec
ALTER ROLE gohelle LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB;
ALTER ROLE gohelle_reader LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB;
ALTER ROLE gohelle_reader SET default_transaction_read_only = on;
ALTER ROLE gohelle_reader SET default_transaction_isolation = 'repeatable read';
ALTER ROLE gohelle_reader SET statement_timeout = '30s';

SELECT 'CREATE DATABASE gohelle OWNER gohelle' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'gohelle') \gexec
ALTER DATABASE gohelle OWNER TO gohelle;
\connect gohelle
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS postgis;
