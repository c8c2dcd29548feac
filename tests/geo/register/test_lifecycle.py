"""Every state, act and role: what the table allows is done, everything else is refused and changes nothing."""

from itertools import product
from typing import Any, get_args

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection

from geo.errors import Forbidden, IllegalDecision, NotFound
from geo.register.lifecycle import MAY, NEXT, Act, Actor, Role, State, step
from tests.conftest import Territory
from tests.declaring import NOW, declared

STATES = [state for state in get_args(State) if state != "erased"]
ACTS = get_args(Act)
ROLES = get_args(Role)


@pytest.fixture(scope="module")
def held(admin_url: str, seeded: str):
    """A database with one declaration, whose state each case sets and takes back."""
    from tests.conftest import clone

    with clone(admin_url, seeded) as loos:
        yield loos, declared(loos)[0]


@pytest.mark.parametrize("state", STATES)
def test_every_act_of_every_role(held: tuple[Territory, object], state: State):
    """Forbidden is told before anything is looked at, an illegal step before anything is written."""
    loos, id = held
    for act, role in product(ACTS, ROLES):
        with loos.db.write() as tx:
            tx.execute(text("update register.declarations set state = :state"), {"state": state})
            before = snapshot(tx)
            outcome = attempt(tx, id, act, role)
            if role not in MAY[act]:
                assert outcome is Forbidden, (act, role)
            elif (state, act) not in NEXT:
                assert outcome is IllegalDecision, (act, role)
            else:
                assert outcome == NEXT[state, act]
            changed = snapshot(tx) != before
            assert changed == (isinstance(outcome, str) and outcome != "erased"), (act, role)


def test_what_is_not_there_is_not_found(held):
    """Whoever may act is told so; whoever may not is not."""
    loos, _ = held
    with loos.db.write() as tx:
        nobody = "00000000-0000-0000-0000-000000000000"
        assert {attempt(tx, nobody, act, role) for act, role in product(ACTS, ROLES)} == {NotFound, Forbidden}


def test_the_table_is_whole():
    """Every act is somebody's, every state but the last is left and reached by some act."""
    assert set(MAY) == set(ACTS)
    assert all(MAY[act] for act in ACTS)
    assert {state for state, _ in NEXT} == set(STATES)
    assert set(NEXT.values()) == set(get_args(State)) - {"draft"}
    assert {role for roles in MAY.values() for role in roles} == set(ROLES) - {"planner"}


def attempt(tx: Connection, id: Any, act: Act, role: Role):
    """The new state, or the error that was told."""
    try:
        return step(tx, id, act, actor=Actor("test", role), now=NOW)[1]
    except (Forbidden, IllegalDecision, NotFound) as error:
        return type(error)


def snapshot(tx: Connection):
    """All that a step may change."""
    rows = tx.execute(text("select state, decided_at, acted_at, asked_at from register.declarations")).all()
    return rows, tx.scalar(text("select count(*) from register.audit"))
