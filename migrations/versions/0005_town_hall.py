"""The town hall: who works there, how they come in, what they looked at, and what anybody reports of a public entry."""

from alembic import op

revision = "0005"
down_revision = "0004"

UP = """
-- Who may decide, plan or administer. A member that leaves keeps the number that the audit trail names, and no address.
create table register.staff (
  id uuid primary key default gen_random_uuid(),
  email text unique check (email = lower(email) and length(email) between 3 and 254),
  role text not null check (role in ('moderator', 'planner', 'admin')),
  language text not null,
  added_at timestamptz not null,
  removed_at timestamptz,
  check ((email is null) = (removed_at is not null))
);

-- A browser's way in. The cookie is random; only its hash is kept.
create table register.sessions (
  hash bytea primary key check (length(hash) = 32),
  staff uuid not null references register.staff (id) on delete cascade,
  opened_at timestamptz not null,
  seen_at timestamptz not null
);
create index on register.sessions (staff);
create index on register.sessions (opened_at);

-- A program's way in.
create table register.api_keys (
  id uuid primary key default gen_random_uuid(),
  hash bytea not null unique check (length(hash) = 32),
  staff uuid not null references register.staff (id) on delete cascade,
  name text not null check (length(name) between 1 and 100),
  made_at timestamptz not null,
  ends_at timestamptz not null check (ends_at > made_at),
  used_at timestamptz
);
create index on register.api_keys (staff);

-- What somebody reports of a public entry. `block` and `sender` are hashes under the entry's own salt, so that the same
-- place can be told from another and nobody be followed from entry to entry; the address itself goes with the mail.
create table register.flags (
  id uuid primary key default gen_random_uuid(),
  declaration uuid not null references register.declarations (id) on delete cascade,
  reason text not null check (reason in ('gone', 'wrong', 'person', 'offensive', 'other')),
  words text check (length(words) <= 500),
  block bytea not null check (length(block) = 32),
  sender bytea not null check (length(sender) = 32),
  raised_at timestamptz not null,
  confirmed_at timestamptz,
  settled_at timestamptz check (settled_at is null or confirmed_at is not null)
);
create index on register.flags (declaration, raised_at);
create index on register.flags (raised_at);
create unique index on register.flags (declaration, sender) where confirmed_at is not null and settled_at is null;

create table register.flagged (
  declaration uuid primary key references register.declarations (id) on delete cascade,
  salt bytea not null check (length(salt) = 16),
  -- The oldest report that nobody has looked at; null when there is none.
  open_since timestamptz,
  -- A moderator looked and said `keep`: reports hide the entry no more.
  kept_at timestamptz
);
create index on register.flagged (open_since, declaration) where open_since is not null;

-- What a moderator ticked before making something public.
create table register.checks (
  declaration uuid not null references register.declarations (id) on delete cascade,
  audit bigint not null references register.audit (id) on delete cascade,
  item text not null check (item in ('names', 'faces', 'plates', 'house_numbers')),
  primary key (declaration, audit, item)
);

-- The queue, by age, page after page; and who else declared the same roof.
create index declarations_by_age on register.declarations (state, received_at, id);
drop index register.declarations_state_received_at_idx;
create index declarations_near on register.declarations using gist ((location::public.geography));
"""

DOWN = """
drop index register.declarations_near;
drop index register.declarations_by_age;
create index declarations_state_received_at_idx on register.declarations (state, received_at);
drop table register.checks, register.flagged, register.flags, register.api_keys, register.sessions, register.staff;
"""


def upgrade() -> None:
    """Make the town hall's tables."""
    op.get_bind().connection.cursor().execute(UP)


def downgrade() -> None:
    """Undo it."""
    op.get_bind().connection.cursor().execute(DOWN)
