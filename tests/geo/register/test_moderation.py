"""The town's decisions: who may take which in which state, on what they saw and checked; and the queue that they work off."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import get_args
from uuid import UUID, uuid4

import pytest

from geo import register
from geo.collections import territory
from geo.errors import BadInput, Forbidden, IllegalDecision, NotFound, Stale
from geo.register import dossier, lifecycle, moderation, staff, worklist
from geo.register.lifecycle import NEXT
from geo.register.moderation import CHECKS, DECISIONS, REASONED
from tests.declaring import HOME, NOW, body, decided, declared, published

ROLES = ("moderator", "planner", "admin")
HASH = "(select md5(string_agg(t::text, '' order by t::text)) from {} t)"


@pytest.fixture
def members(loos):
    """One person of each role."""
    with loos.db.write() as tx:
        return {role: staff.add(tx, f"{role}@loos.example", role, language="fr", now=NOW) for role in ROLES}


def decide(loos, id, act, member, **how):
    """A decision as the page takes it: with a reason and everything checked."""
    with loos.db.write() as tx:
        how = {"reason": "Parce que.", "checked": CHECKS, **how}
        return moderation.decide(tx, id, act, member=member, territory=territory(tx), now=NOW, **how)


def read(loos, id):
    """The declaration as a moderator sees it."""
    with loos.db.write() as tx:
        return dossier.read(tx, id)


def amended(loos, **change):
    """A public entry whose owner wants another power."""
    id, key = published(loos)
    with loos.db.write() as tx:
        draft = register.check(tx, body(**{"power_kw": 12.0, **change}), territory=territory(tx), now=NOW, known=True)
        register.amend(tx, key, draft, territory=territory(tx), now=NOW)
    return id


def drafted(loos) -> UUID:
    """A declaration whose owner has not confirmed it."""
    with loos.db.write() as tx:
        return register.submit(tx, register.check(tx, body(), territory=territory(tx), now=NOW), now=NOW).id


def withdrawn(loos) -> UUID:
    """A declaration that its owner took back."""
    id, key = declared(loos)
    with loos.db.write() as tx:
        register.withdraw(tx, key, now=NOW)
    return id


def after(act) -> Callable[..., UUID]:
    """A declaration on which the town has taken one decision."""

    def make(loos):
        id, _ = published(loos) if act in ("hide", "approve") else declared(loos)
        if act != "approve":
            decided(loos, id, act, reason="x")
        return id

    return make


STATES: dict[str, Callable[..., UUID]] = {
    "draft": drafted,
    "confirmed": lambda loos: declared(loos)[0],
    "returned": after("return"),
    "rejected": after("reject"),
    "published": after("approve"),
    "published, amended": amended,
    "hidden": after("hide"),
    "withdrawn": withdrawn,
    "nothing": lambda loos: uuid4(),
}


def everything(loos) -> list[str]:
    """All that a decision could change, as one hash a table."""
    tables = ("register.declarations", "register.audit", "register.amendments", "register.outbox", "register.checks",
              "register.flagged", "territory.installations", "territory.tombstones")  # fmt: skip
    return loos.scalar(f"select array[{', '.join(map(HASH.format, tables))}]")


def expected(state: str, act: str, role: str) -> type[Exception] | str:
    """What the tables say: Forbidden for the role, NotFound for what is not there to be decided on, else the life cycle."""
    if role == "planner":
        return Forbidden
    if state in ("nothing", "draft"):
        return NotFound
    bare, _, waits = state.partition(", ")
    steps: dict[tuple[str, str], str] = {**NEXT}
    if (bare, act) not in steps or ("amendment" in act and not waits):
        return IllegalDecision
    return steps[bare, act]


@pytest.mark.parametrize("state", STATES)
def test_every_state_act_and_role(loos, members, state):
    """What is allowed does what the life cycle says; what is not changes nothing at all."""
    for act, role in itertools.product(DECISIONS, ROLES):
        id = STATES[state](loos)
        outcome = expected(state, act, role)
        if isinstance(outcome, str):
            assert decide(loos, id, act, members[role]) == outcome
            assert loos.scalar("select state from register.declarations where id = %s", id) == outcome
            trail = read(loos, id).trail[-1]
            assert (trail.act, trail.by, trail.reason) == (act, f"{role}@loos.example", "Parce que.")
        else:
            before = everything(loos)
            with pytest.raises(outcome):
                decide(loos, id, act, members[role])
            assert everything(loos) == before


def test_every_act_of_the_town_is_on_its_page():
    """The life cycle gives the town no decision that the page lacks, and the page none that the life cycle lacks."""
    of_the_town = {act for act, roles in lifecycle.MAY.items() if "moderator" in roles}
    assert of_the_town == set(DECISIONS)
    assert {act for _, act in NEXT} >= set(DECISIONS)
    assert set(get_args(lifecycle.Act)) >= set(DECISIONS)


@pytest.mark.parametrize("act", DECISIONS)
def test_what_a_decision_needs(loos, members, act):
    """A reason where something is taken away, and ticks where words or a photo become public; all that lacks is told at once."""
    id = amended(loos, words="Venez voir") if "amendment" in act else declared(loos, words="Venez voir")[0]
    if act in ("hide", "keep"):
        decided(loos, id)
    before = everything(loos)
    lacks = {"/reason"} if act in REASONED else {"/checked"} if act in moderation.PUBLISHING else set()
    for reason in ("", "  ", None):
        if lacks:
            with pytest.raises(BadInput) as refusal:
                decide(loos, id, act, members["moderator"], reason=reason, checked=())
            assert {one.pointer for one in refusal.value.problems} == lacks
            assert everything(loos) == before
    for reason in ("x" * 1001, "a\x00b", "\ud800"):
        with pytest.raises(BadInput):
            decide(loos, id, act, members["moderator"], reason=reason)
    decide(
        loos,
        id,
        act,
        members["moderator"],
        reason="Flou" if act in REASONED else None,
        checked=("names", "house_numbers"),
    )
    expected = ["house_numbers", "names"] if act in moderation.PUBLISHING else []
    assert read(loos, id).trail[-1].checked == expected


def test_what_was_checked_goes_with_the_declaration(loos, members):
    """Erased by its owner, nothing of the decision stays either."""
    id, key = declared(loos, words="Venez voir")
    decide(loos, id, "approve", members["moderator"])
    assert loos.scalar("select count(*) from register.checks") == 4
    with loos.db.write() as tx:
        register.erase(tx, key, now=NOW)
    assert loos.scalar("select (select count(*) from register.checks) + (select count(*) from register.audit)") == 0


def test_a_photo_is_checked_for_faces_and_plates(loos, members):
    """Texts for names and house numbers, photos for all four; nothing is asked of an entry that has neither."""
    assert moderation.owed(texts=False, photo=False) == ()
    bare, _ = declared(loos)
    assert decide(loos, bare, "approve", members["admin"], checked=(), reason=None) == "published"
    id, _ = declared(loos)
    with loos.superuser() as connection:
        connection.execute(
            "insert into register.photos (declaration, waiting, large, small, width, height, at) values (%s, false, '\\x00', '\\x00', 1, 1, now())",
            [id],
        )
    with pytest.raises(BadInput, match="faces, plates"):
        decide(loos, id, "approve", members["admin"], checked=("names", "house_numbers"))


def test_two_moderators_at_once(loos, members):
    """One wins and the other is told; so is whoever decides on what has changed since they looked."""
    id, _ = declared(loos)
    seen = read(loos, id).seen

    def act(which):
        try:
            return decide(loos, id, which, members["moderator"], seen=seen)
        except (Stale, IllegalDecision) as error:
            return type(error)

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(act, ("approve", "reject", "return", "approve")))
    assert sum(isinstance(one, str) for one in outcomes) == 1
    assert outcomes.count(Stale) == 3
    assert len(read(loos, id).trail) == 3  # declared, confirmed, decided once


def test_what_the_owner_changed_meanwhile(loos, members):
    """The town never approves what it has not seen."""
    id, key = declared(loos)
    seen = read(loos, id).seen
    with loos.db.write() as tx:
        draft = register.check(tx, body(words="Autre chose"), territory=territory(tx), now=NOW, known=True)
        register.amend(tx, key, draft, territory=territory(tx), now=NOW)
    with pytest.raises(Stale):
        decide(loos, id, "approve", members["moderator"], seen=seen)
    assert decide(loos, id, "approve", members["moderator"], seen=read(loos, id).seen) == "published"


def test_the_dossier(loos, members):
    """Facts in the order of the form, the exact point and its square, the trail with who did what; never the mail address."""
    id, _ = declared(loos, power_kw=8.4, year=2021, words="Bonjour", address="12 rue Hoche")
    decide(loos, id, "return", members["moderator"], reason="Où est-ce ?")
    found = read(loos, id)
    assert dict(found.facts) == {
        "technology": "heat_pump",
        "status": "operating",
        "year": 2021,
        "owner_kind": "private_person",
        "visitors_welcome": False,
        "address": "12 rue Hoche",
        "precision": "cell_200m",
        "words": "Bonjour",
        "power_kw": 8.4,
    }
    assert found.place.at == pytest.approx(HOME)
    assert found.place.cell == "CRS3035RES200mN3063600E3810200"
    assert [(done.act, done.by, done.reason) for done in found.trail] == [
        ("declare", None, None),
        ("confirm", None, None),
        ("return", "moderator@loos.example", "Où est-ce ?"),
    ]
    assert "resident@example.org" not in repr(found)
    with loos.db.write() as tx:
        staff.remove(tx, "moderator@loos.example", now=NOW)
    assert read(loos, id).trail[-1].by is None


def test_before_and_after(loos):
    """Only what changes, how far it moves, and the square that it would get."""
    lon, lat = HOME
    id = amended(loos, at=[lon + 0.01, lat], precision="cell_1km", words="Nouveau")
    change = read(loos, id).amendment
    assert change is not None
    assert {(one.name, one.before, one.after) for one in change.changes} == {
        ("power_kw", None, 12.0),
        ("words", None, "Nouveau"),
    }  # to be shown less precisely is no question to the town: that was done at once
    assert change.metres == pytest.approx(710, abs=5)
    assert change.place.cell == "CRS3035RES1000mN3063000E3810000"


def test_likely_duplicates(loos):
    """The same technology within fifty metres of the exact point, nearest first: declared ones whatever their square, and the pack's."""
    lon, lat = HOME
    id, _ = declared(loos, power_kw=8)
    near, _ = declared(loos, at=[lon + 0.0003, lat], email="other@example.org")
    nearer, _ = published(loos, at=[lon, lat + 0.0001])
    declared(loos, at=[lon + 0.001, lat])
    declared(loos, technology="biomass")
    withdrawn(loos)
    with loos.superuser() as connection:
        connection.execute(
            "insert into territory.installations (source_key, name, technology, owner_kind, visitors_welcome, source, licence, position, geom) "
            "values ('pack:1', 'Pompe', 'heat_pump', 'company', false, 's', 'l', 'surveyed', ST_SetSRID(ST_MakePoint(%s, %s), 4326))",
            [lon, lat + 0.0002],
        )
    twins = read(loos, id).twins
    assert [(one.id, one.item is not None, one.same_person) for one in twins] == [
        (nearer, False, True),
        (near, False, False),
        (None, True, False),
    ]
    assert [round(one.metres) for one in twins] == [11, 21, 22]


def test_the_queue_goes_by_age(loos):
    """Oldest first, page after page, each line once, whatever was declared at the same moment."""
    ids = [declared(loos, now=NOW + timedelta(minutes=n // 3))[0] for n in range(10)]
    walked, after = [], None
    while True:
        with loos.db.write() as tx:
            page = worklist.page(tx, "confirmed", limit=3, after=after)
        walked += [(line.since, line.id) for line in page.lines]
        after = page.after
        if after is None:
            break
    assert walked == sorted(walked)
    assert {id for _, id in walked} == set(ids)
    assert len(walked) == 10


def test_what_a_line_tells(loos):
    """Whether there is something to look at: a duplicate, a text that gives somebody away, a photo, reports."""
    declared(loos, words="06 12 34 56 78", advice="12 rue Hoche", power_kw=3)
    declared(loos, technology="biomass", now=NOW + timedelta(hours=1))
    with loos.db.write() as tx:
        first, second = worklist.page(tx, "confirmed", limit=9).lines
        assert worklist.counts(tx)["confirmed"] == 2
    assert (first.sharp, first.twin, first.photo, first.reports, first.power_kw) == (2, False, False, 0, 3)
    assert (second.sharp, second.technology) == (0, "biomass")
    declared(loos, now=NOW + timedelta(hours=2))
    with loos.db.write() as tx:
        assert [line.twin for line in worklist.page(tx, "confirmed", limit=9).lines] == [True, False, True]


def test_every_view_counts_what_it_shows(loos, members):
    """Each state, the corrections that wait, and nothing that its owner has not confirmed."""
    for make in STATES.values():
        make(loos)
    with loos.db.write() as tx:
        counts = worklist.counts(tx)
        shown = {view: len(worklist.page(tx, view, limit=50).lines) for view in worklist.VIEWS}
        tally = worklist.tally(tx)
    assert counts == shown
    assert shown == {"confirmed": 1, "amended": 1, "flagged": 0, "published": 2, "hidden": 1, "returned": 1,
                     "rejected": 1, "withdrawn": 1}  # fmt: skip
    assert tally["states"] == {
        "confirmed": 1,
        "published": 2,
        "hidden": 1,
        "returned": 1,
        "rejected": 1,
        "withdrawn": 1,
    }
    assert tally["oldest_confirmed"] == NOW


def test_the_queue_rests_on_its_indexes(loos):
    """With 20,000 entries a page is read by age from the index, and so is the next one: no sort, no walk over the table."""
    with loos.superuser() as connection:
        connection.execute(
            "insert into register.declarations (state, technology, owner_kind, location, precision, language, received_at, acted_at) "
            "select 'confirmed', 'photovoltaic', 'private_person', ST_SetSRID(ST_MakePoint(2.7 + n * 0.000007, 50.4 + (n * 7919 % 20000) * 0.000004), 4326), "
            "'cell_200m', 'fr', timestamptz '2026-01-01Z' + n * interval '1 minute', now() from generate_series(1, 20000) n"
        )
        connection.execute("analyze register.declarations")
        source, since = worklist._IN_STATE
        among = f"select d.id, {since} as since from {source} and ({since}, d.id) > ('2026-01-03Z', '00000000-0000-0000-0000-000000000000') order by {since}, d.id limit 51"
        plan = "\n".join(
            row[0]
            for row in connection.execute(
                "explain " + worklist._LINES.replace("<page>", among)
                .replace(":view", "'confirmed'").replace(":alive", "'{confirmed}'::text[]").replace(":near", "50")
            )
        )  # fmt: skip
    assert "declarations_by_age" in plan
    assert "declarations_near" in plan
    assert plan.count("Sort Key") == plan.count("Sort Key: p.since")  # of the page's 51 lines alone
    assert "Seq Scan on declarations" not in plan


def test_the_owner_is_told(loos, members):
    """Each decision that takes something away, or that makes it public, brings a letter with its reason; to keep brings none."""
    told = {"approve": "published", "return": "returned", "reject": "rejected", "approve_amendment": "amendment_approved",
            "reject_amendment": "amendment_rejected", "hide": "hidden"}  # fmt: skip
    for act in DECISIONS:
        id = (
            amended(loos)
            if "amendment" in act
            else published(loos)[0]
            if act in ("hide", "keep")
            else declared(loos)[0]
        )
        loos.scalar("with gone as (delete from register.outbox returning 1) select count(*) from gone")
        decide(loos, id, act, members["moderator"])
        with loos.superuser() as connection:
            letters = connection.execute("select letter, details->>'reason' from register.outbox").fetchall()
        assert letters == ([(told[act], "Parce que.")] if act in told else [])
