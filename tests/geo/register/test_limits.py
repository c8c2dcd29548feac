"""Limits against abuse: right over many connections, kept as salted hashes for a day, and in no backup."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest

from geo import backup, programs
from geo.db import Database
from geo.errors import TooOften
from geo.register import limits
from tests.conftest import Territory

NOW = datetime(2026, 3, 1, 10, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


def spend(territory: Territory, key: str = "192.0.2.0/24", *, what: str = "declare", now: datetime = NOW) -> None:
    """One of three an hour."""
    with territory.db.write() as tx:
        limits.spend(tx, what, key, most=3, per=HOUR, now=now)


def test_what_is_spent_is_refused_until_the_span_ends(database: Territory):
    """The fourth within the hour is told how long to wait; at the next hour it may again."""
    for _ in range(3):
        spend(database)
    with pytest.raises(TooOften) as refused:
        spend(database)
    assert refused.value.retry_after == 40 * 60 + 1
    spend(database, now=NOW + timedelta(seconds=refused.value.retry_after))


def test_each_key_and_each_act_has_a_limit_of_its_own(database: Territory):
    """A neighbour's block, and another thing to do, are not touched."""
    for _ in range(3):
        spend(database)
    spend(database, "198.51.100.0/24")
    spend(database, what="flag")
    with pytest.raises(TooOften):
        spend(database)


def test_no_burst_over_many_connections_gets_past(database: Territory):
    """Eight workers with pools of their own try at once: exactly as many get through as may."""
    workers = [Database(database.settings) for _ in range(8)]

    def attempts(db: Database) -> int:
        done = 0
        for _ in range(6):
            try:
                with db.write() as tx:
                    limits.spend(tx, "declare", "192.0.2.0/24", most=20, per=HOUR, now=NOW)
                done += 1
            except TooOften:
                """Spent."""
        return done

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempts, workers)) == 20
    for db in workers:
        db.close()


def test_what_is_rolled_back_was_not_spent(database: Territory):
    """A declaration that was refused for a mistake in it does not count."""

    def fails() -> None:
        with database.db.write() as tx:
            limits.spend(tx, "declare", "192.0.2.0/24", most=3, per=HOUR, now=NOW)
            raise ZeroDivisionError

    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            fails()
    spend(database)


def test_who_it_was_cannot_be_read(database: Territory, tmp_path: Path):
    """Neither the address nor the same hash on another day; and a backup holds not even the hashes."""
    spend(database, "jeanne@example.fr")
    spend(database, "jeanne@example.fr", now=NOW + timedelta(days=1))
    first, second = [bytes(who) for (who,) in rows(database, "select who from register.spent order by until")]
    assert first != second
    assert b"jeanne" not in first + second
    backup.backup(database.settings, tmp_path / "file", now=NOW)
    with ZipFile(tmp_path / "file") as archive:
        archive.extract(backup.DUMP, tmp_path)
    restore = programs.fitting(15) / "pg_restore"
    dump = subprocess.run([restore, "-f", "-", tmp_path / backup.DUMP], capture_output=True, check=True).stdout
    assert b"CREATE UNLOGGED TABLE register.spent" in dump
    assert first.hex().encode() not in dump
    assert backup.read(tmp_path / "file").rows.keys().isdisjoint({"register.spent", "register.salts"})


def test_a_day_later_nothing_is_left(database: Territory):
    """Counts go with their span, salts with their day."""
    spend(database)
    with database.db.write() as tx:
        limits.forget(tx, now=NOW + HOUR)
    assert database.scalar("select count(*) from register.spent") == 0
    assert database.scalar("select count(*) from register.salts") == 1
    with database.db.write() as tx:
        limits.forget(tx, now=NOW + timedelta(days=1))
    assert database.scalar("select count(*) from register.salts") == 0


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("nobody", "elsewhere"),
        ("", "elsewhere"),
        (None, "elsewhere"),
    ],
)
def test_a_block_is_what_one_household_or_provider_shares(address: str | None, block: str):
    """A household changes its last byte, and its last eighty bits of IPv6, as it likes."""
    assert limits.block(address) == block


@pytest.mark.parametrize("written", ["Jeanne@Example.FR", " jeanne+carte@example.fr", "jeanne+@example.fr"])
def test_a_mailbox_is_one_however_it_is_written(written: str):
    """Case and tags lead to the same reader."""
    assert limits.mailbox(written) == "jeanne@example.fr"


def rows(territory: Territory, query: str) -> list[tuple]:
    """What the superuser reads."""
    with territory.superuser() as connection:
        return connection.execute(query).fetchall()  # pyright: ignore[reportArgumentType, reportCallIssue]
