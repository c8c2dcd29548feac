"""Whose word counts on where a visitor comes from: a trusted proxy's alone, and of its header only what it wrote itself."""

import itertools
import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from geo.settings import BadSetting, Settings
from tests.conftest import Service, clone, running
from tests.declaring import body

NUMBERS = itertools.count()


def declare(service: Service, forwarded: str | None) -> int:
    """Hand a declaration in, from a mail address of its own; the status."""
    data = json.dumps(body(email=f"resident{next(NUMBERS)}@example.fr")).encode()
    headers = {"Content-Type": "application/json", **({"X-Forwarded-For": forwarded} if forwarded else {})}
    request = urllib.request.Request(f"{service.url}/installations", data, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code if 0 < int(refused.headers["Retry-After"] or 0) <= 86_401 else 0


@pytest.fixture(scope="module")
def exposed(admin_url: str, seeded: str) -> Iterator[Service]:
    """A service that visitors reach by themselves; one of their blocks may declare twice a day."""
    with clone(admin_url, seeded) as territory, running(territory, GOHELLE_DECLARATIONS_A_DAY="2") as service:
        yield service


@pytest.fixture(scope="module")
def behind(admin_url: str, seeded: str) -> Iterator[Service]:
    """The same behind a proxy on this machine and another in 10.0.0.0/8."""
    given = {"GOHELLE_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8", "GOHELLE_DECLARATIONS_A_DAY": "2"}
    with clone(admin_url, seeded) as territory, running(territory, **given) as service:
        yield service


def test_a_visitor_s_own_header_is_not_believed(exposed: Service):
    """Whatever they say, they come from where they come from."""
    assert [declare(exposed, f"192.0.{n}.1") for n in range(3)] == [202, 202, 429]


def test_a_proxy_tells_for_whom_it_asks(behind: Service):
    """Each block has a limit of its own; neighbours in a block share one."""
    assert [declare(behind, f"192.0.{n}.1") for n in range(4)] == [202] * 4
    assert [declare(behind, f"198.51.100.{n}") for n in range(3)] == [202, 202, 429]
    assert [declare(behind, f"2001:db8:1:{n}::1") for n in range(3)] == [202, 202, 429]


@pytest.mark.parametrize("real", ["198.18.1.7", "198.18.2.7, 10.1.2.3", "198.18.3.7:4711"])
def test_what_a_visitor_wrote_before_the_proxy_is_not_believed(behind: Service, real: str):
    """The proxy appends whom it saw: that is what counts, however many trusted ones follow."""
    assert [declare(behind, f"192.0.{n}.1, 203.0.113.{n}, {real}") for n in range(3)] == [202, 202, 429]


def test_nonsense_is_one_block(behind: Service):
    """It neither breaks an answer nor opens as many doors as there are words."""
    words = ["unknown", "a" * 4000, "%00", "999.1.1.1", "_hidden"]
    assert [declare(behind, word) for word in words] == [202, 202, 429, 429, 429]


@pytest.mark.parametrize("proxies", ["*", "nginx", "10.0.0.1/8", "127.0.0.1;10.0.0.1"])
def test_proxies_are_named_by_address(proxies: str):
    """`*` would make everybody one, and the first word of the header, which visitors write, the truth."""
    with pytest.raises(BadSetting, match="GOHELLE_TRUSTED_PROXIES"):
        Settings.from_env({"GOHELLE_TRUSTED_PROXIES": proxies})
