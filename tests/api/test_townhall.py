"""The town hall's door and pages as their users, and their enemies, find them: who comes in, and what only its own forms do."""

import itertools
import json
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from api.memory import Memory
from geo.register import access, keys, outbox, staff
from geo.register.moderation import CHECKS, DECISIONS
from tests.api.conftest import client_of, routes
from tests.declaring import HOME, declared, published
from tests.geo.register.test_moderation import ROLES, STATES, everything

HTML = {"Accept": "text/html"}
OURS = {"Sec-Fetch-Site": "same-origin"}


def now():
    """The service's own clock: sessions end by it."""
    return datetime.now(UTC)


@pytest.fixture
def people(loos):
    """One person of each role."""
    with loos.db.write() as tx:
        return {role: staff.add(tx, f"{role}@loos.example", role, language="fr", now=now()) for role in ROLES}


def session(loos, client, member):
    """A session of that person in the client; what its forms carry."""
    with loos.db.write() as tx:
        secret = access.open_session(tx, member.id, now=now())
    client.cookies.set("gohelle", secret)
    return access.proof(secret)


def bearer(loos, member):
    """The header that a program of that person sends."""
    with loos.db.write() as tx:
        key = access.make_key(tx, member.id, name="test", lifetime=timedelta(days=1), now=now())
    return {"Authorization": f"Bearer {key}"}


def mailed(loos, letter="staff_login"):
    """The key in the letter that was written last."""
    id = loos.scalar("select id from register.outbox where letter = %s and state = 'waiting'", letter)
    with loos.db.write() as tx:
        outgoing = outbox.take(tx, id, domain="test", now=now())
    return outgoing.token if outgoing else None


# The entrance


def test_in_by_mail_and_out_again(loos, people):
    """A link is asked for, its key opens a session, the session ends where it is left."""
    with client_of(loos) as client:
        assert client.get("/townhall", headers=HTML).headers["location"] == "/townhall/login"
        client.post("/townhall/login", data={"email": "Moderator@loos.example "}, headers=OURS)
        token = mailed(loos)
        assert token
        answer = client.post("/townhall/session", data={"code": f" {token}\n"}, headers=OURS)
        assert (answer.status_code, answer.headers["location"]) == (303, "/townhall")
        page = client.get("/townhall", headers=HTML)
        assert page.status_code == 200
        assert "moderator@loos.example" in page.text
        proof = re.search(r'name="proof" value="([0-9a-f]{64})"', page.text)
        assert proof
        assert client.post("/townhall/session", data={"code": token}, headers=OURS).status_code == 404
        client.post("/townhall/logout", data={"proof": proof[1]}, headers=OURS)
        assert client.cookies.get("gohelle") is None
        client.cookies.set("gohelle", answer.cookies["gohelle"])
        assert client.get("/townhall", headers=HTML).headers["location"] == "/townhall/login"


def test_a_planner_is_let_in_and_sees_no_declaration(loos, people):
    """The session opens the planning tools, and no private thing."""
    with client_of(loos) as client:
        client.post("/townhall/login", data={"email": "planner@loos.example"}, headers=OURS)
        answer = client.post("/townhall/session", data={"code": mailed(loos)}, headers=OURS)
        assert answer.headers["location"] == "/"
        assert client.get("/townhall", headers=HTML).status_code == 403


def test_nobody_learns_who_works_here(loos, people):
    """Byte for byte the same answer to a member and to a stranger, whatever one does next."""
    with client_of(loos) as client:

        def answers(email):
            first = client.post("/townhall/login", data={"email": email}, headers=OURS)
            return (
                first.status_code,
                first.content,
                {k: v for k, v in first.headers.items() if k not in ("date", "x-request-id")},
            )

        assert answers("moderator@loos.example") == answers("stranger@example.org")
        statuses = [
            (answers("moderator@loos.example")[0], answers("stranger@example.org")[0]) for _ in range(staff.PER_MAILBOX)
        ]
        assert statuses == [(200, 200)] * (staff.PER_MAILBOX - 1) + [(429, 429)]
        assert "stranger" not in json.dumps(loos.scalar("select json_agg(o) from register.outbox o"))


@pytest.mark.parametrize("code", ["", "x", "a" * 43, "a" * 5000, "\x00", "é", "../../"])
def test_wrong_keys_get_one_answer(loos, code):
    """404 and the form again; no cookie."""
    with client_of(loos) as client:
        answer = client.post("/townhall/session", data={"code": code}, headers=OURS)
        assert answer.status_code == 404
        assert "set-cookie" not in answer.headers
        assert answer.content == client.post("/townhall/session", data={"code": "wrong"}, headers=OURS).content


def test_keys_of_other_purposes_open_no_session(loos, people):
    """Not the owner's, not one for a report; not an expired one, nor one of somebody who left."""
    member = people["moderator"]
    with loos.db.write() as tx:
        tokens = [
            keys.issue(tx, "owner", member.id, now=now()),
            keys.issue(tx, "flag_confirm", member.id, now=now()),
            keys.issue(tx, "staff_login", member.id, now=now() - timedelta(minutes=16)),
            keys.issue(tx, "staff_login", uuid4(), now=now()),
        ]
    with client_of(loos) as client:
        bodies = {client.post("/townhall/session", data={"code": one}, headers=OURS).content for one in [*tokens, "x"]}
    assert len(bodies) == 1


def test_a_scanner_that_follows_links_changes_nothing(loos, people):
    """GET and HEAD of every page that a link leads to, with the key wherever a program may put it."""
    with loos.db.write() as tx:
        token = keys.issue(tx, "staff_login", people["moderator"].id, now=now())
    count = (
        "select (select count(*) from register.sessions), (select count(*) from register.tokens where used_at is null)"
    )
    before = loos.scalar(count)
    with client_of(loos) as client:
        for path, method in itertools.product(
            ("/townhall/login", "/townhall/session", "/flag/confirm", "/townhall/logout"), ("GET", "HEAD")
        ):
            answer = client.request(method, path, params={"code": token, "key": token})
            assert answer.status_code in (200, 303, 405)  # 303: no declaration has such a number
            assert "set-cookie" not in answer.headers
        assert client.post("/townhall/session", params={"code": token}, headers=OURS).status_code == 404
        assert loos.scalar(count) == before
        assert client.post("/townhall/session", data={"code": token}, headers=OURS).status_code == 303


# Cookies, forms of others, other origins


def test_the_cookie(loos, people):
    """Out of every script's reach, sent by no foreign form; over HTTPS bound to the host and to encrypted ways."""
    from dataclasses import replace

    from api.app import create

    for url, name, secure in (
        ("http://testserver", "gohelle", False),
        ("https://carte.example.fr", "__Host-gohelle", True),
    ):
        settings = replace(loos.settings, public_url=url)
        with TestClient(create(settings), base_url=url, follow_redirects=False) as client:
            with loos.db.write() as tx:
                token = keys.issue(tx, "staff_login", people["admin"].id, now=now())
            cookie = client.post("/townhall/session", data={"code": token}, headers=OURS).headers["set-cookie"]
            assert cookie.startswith(f"{name}=")
            assert ("Secure" in cookie) is secure
            assert "HttpOnly" in cookie
            assert "SameSite=lax" in cookie
            assert "Path=/" in cookie
            assert "Domain" not in cookie
            assert client.get("/townhall", headers=HTML).status_code == 200


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "null"},
    {},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_foreign_form_decides_nothing(loos, people, headers):
    """With the session's cookie, and even with its proof: what does not come from our own page is refused."""
    id, _ = declared(loos)
    with client_of(loos) as client:
        proof = session(loos, client, people["moderator"])
        seen = str(loos.scalar("select max(id) from register.audit"))
        form = {"act": "approve", "seen": seen, "proof": proof}
        before = everything(loos)
        assert client.post(f"/townhall/{id}", data=form, headers=headers).status_code == 403
        assert client.post("/townhall/logout", data=form, headers=headers).status_code == 403
        told = {**headers, "X-CSRF-Token": proof}
        assert client.post(f"/register/declarations/{id}/approve", json={}, headers=told).status_code == 403
        assert everything(loos) == before
        assert client.post(f"/townhall/{id}", data=form, headers=OURS).status_code == 303


def test_a_form_without_the_proof_decides_nothing(loos, people):
    """From our own host, but not from the session's page: none, a wrong one, another session's."""
    id, _ = declared(loos)
    with client_of(loos) as client:
        other = session(loos, client, people["admin"])
        proof = session(loos, client, people["moderator"])
        before = everything(loos)
        for wrong in ("", "x", other, proof[:-1], proof.upper(), "é"):
            form = {"act": "approve", "seen": "", "proof": wrong}
            assert client.post(f"/townhall/{id}", data=form, headers=OURS).status_code == 403
            assert client.post("/townhall/logout", data={"proof": wrong}, headers=OURS).status_code == 403
        assert client.post(f"/register/declarations/{id}/approve", json={}, headers=OURS).status_code == 403
        assert everything(loos) == before
        told = {**OURS, "X-CSRF-Token": proof}
        assert client.post(f"/register/declarations/{id}/approve", json={}, headers=told).status_code == 200


@pytest.mark.parametrize("path", ["/townhall/login", "/townhall/session", "/flag", "/flag/confirm"])
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}], ids=str)
def test_no_foreign_page_fills_in_our_forms(looker, path, headers):
    """A visitor of another site asks for no link, opens no session and reports nothing."""
    assert (
        looker.post(path, data={"email": "a@b.fr", "code": "x", "entry": str(uuid4())}, headers=headers).status_code
        == 403
    )


def test_no_other_origin_reads_what_is_private(loos, people):
    """No CORS header on any answer of the town hall, errors and preflights included; the public ones keep theirs."""
    id, _ = declared(loos)
    with client_of(loos) as client:
        session(loos, client, people["admin"])
        paths = (
            "/townhall",
            f"/townhall/{id}",
            "/townhall/login",
            "/register/declarations",
            f"/register/declarations/{id}",
            "/register/tally",
            "/townhall/nothing/here",
        )
        for path in paths:
            answer = client.get(path, headers={"Origin": "https://evil.example"})
            assert not [name for name in answer.headers if name.startswith("access-control")], path
            asked = {
                "Origin": "https://evil.example",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization",
            }
            preflight = client.options(path, headers=asked)
            assert not [name for name in preflight.headers if name.startswith("access-control")], path
        public = client.get("/collections", headers={"Origin": "https://map.example"})
        assert public.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in public.headers
        asked = {"Origin": "https://map.example", "Access-Control-Request-Method": "POST"}
        assert (
            "authorization"
            not in client.options("/installations", headers=asked).headers["access-control-allow-headers"].lower()
        )


def test_what_private_pages_may_load(loos, people):
    """No inline script or style, no frame, no foreign host; kept by no cache and found by no search engine."""
    id, _ = declared(loos)
    with client_of(loos) as client:
        session(loos, client, people["moderator"])
        for path in ("/townhall", f"/townhall/{id}", "/townhall/login", "/flag/confirm"):
            answer = client.get(path, headers=HTML)
            policy = answer.headers["content-security-policy"]
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert "form-action 'self'" in policy
            assert "http" not in policy
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-robots-tag"] == "noindex"
            assert answer.headers["referrer-policy"] in ("same-origin", "no-referrer")
            assert "etag" not in answer.headers
            assert not re.search(r"<script(?![^>]*(src|importmap|application/json))|\sstyle=|\son\w+=", answer.text)


def test_nothing_with_credentials_is_kept(loos, people):
    """Neither what is private nor what is public, asked with a cookie or a key; and the memory is asked for neither."""
    id, _ = declared(loos)
    with client_of(loos) as client:
        memory = client.app.app  # pyright: ignore[reportFunctionMemberAccess] (the edge wraps the memory)
        assert isinstance(memory, Memory)
        credentials = bearer(loos, people["moderator"])
        paths = (
            "/townhall",
            f"/townhall/{id}",
            "/register/declarations",
            f"/register/declarations/{id}",
            "/collections",
            "/",
        )
        for path in paths:
            client.get(path, headers=credentials)
        session(loos, client, people["moderator"])
        for path in paths:
            assert client.get(path, headers=HTML).status_code in (200, 406)
        assert memory.size == 0
        client.cookies.clear()
        for path in ("/townhall", "/townhall/login", f"/townhall/{id}", "/register/declarations", "/flag/confirm"):
            client.get(path, headers=HTML)
        assert memory.size == 0
        client.get("/collections", headers=HTML)
        assert memory.size > 0
        for path in paths[:4]:
            assert client.get(path, headers=HTML).status_code in (303, 401)


# Authorisation


PRIVATE = ("/townhall/{id}/photos/current", "/register/declarations", "/register/declarations/{id}", "/register/tally")


def test_who_sees_what(loos, people):
    """Nobody without credentials; of those who are known, whom the table names."""
    id, _ = declared(loos)
    with client_of(loos) as client:
        headers = {role: bearer(loos, member) for role, member in people.items()}
        for path in (one.format(id=id) for one in PRIVATE):
            for wrong in (
                {},
                {"Authorization": "Bearer gohelle_x"},
                {"Authorization": "Basic eDp5"},
                {"Cookie": "gohelle=x"},
            ):
                answer = client.get(path, headers=wrong)
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"] == 'Bearer realm="gohelle"'
                assert str(HOME[0]) not in answer.text
            statuses = {role: client.get(path, headers=headers[role]).status_code for role in ROLES}
            fine = 404 if "photos" in path else 200
            assert statuses == {"moderator": 403 if "tally" in path else fine, "planner": 403, "admin": fine}


@pytest.mark.parametrize("state", STATES)
def test_every_state_act_and_role_by_http(loos, people, state):
    """As the tables say: 200, or 401, 403, 404 and 409 with nothing changed."""
    from tests.geo.register.test_moderation import expected

    body = {"reason": "Parce que.", "checked": list(CHECKS)}
    with client_of(loos) as client:
        headers = {role: bearer(loos, member) for role, member in people.items()}
        id = STATES[state](loos)
        for act, role in itertools.product((*DECISIONS, "erase", "withdraw", "nonsense"), (*ROLES, "nobody")):
            outcome = expected(state, act, role) if act in DECISIONS and role != "nobody" else None
            if isinstance(outcome, str):
                id = STATES[state](loos)
            before = everything(loos)
            answer = client.post(f"/register/declarations/{id}/{act}", json=body, headers=headers.get(role))
            if isinstance(outcome, str):
                assert (answer.status_code, answer.json()) == (200, {"id": str(id), "state": outcome})
                id = STATES[state](loos)
            else:
                statuses = {"Forbidden": 403, "NotFound": 404, "IllegalDecision": 409}
                status = (
                    statuses[outcome.__name__]
                    if outcome
                    else 401
                    if role == "nobody"
                    else 403
                    if role == "planner"
                    else 404
                )
                assert answer.status_code == status, (act, role)
                assert answer.headers["content-type"] == "application/problem+json"
                assert everything(loos) == before


def test_decisions_as_json_say_all_that_is_wrong(loos, people):
    """Unknown members, wrong types, what is missing; the input is never echoed. A stale `seen` is 409."""
    id, _ = declared(loos, words="Bonjour")
    with client_of(loos) as client:
        headers = bearer(loos, people["moderator"])
        path = f"/register/declarations/{id}"
        whole = client.get(path, headers=headers).json()
        assert (whole["acts"], whole["findings"]) == (["approve", "return", "reject"], {"words": []})
        seen = whole["seen"]
        for body, pointers in [
            ({"extra": 1}, {"/extra"}),
            ({"checked": ["hats"], "seen": "1", "reason": 5}, {"/checked/0", "/seen", "/reason"}),
            ({}, {"/checked"}),
            ({"checked": ["names"], "reason": "\x00"}, {"/checked", "/reason"}),
        ]:
            answer = client.post(f"{path}/approve", json=body, headers=headers)
            assert answer.status_code == 400
            assert {one["pointer"] for one in answer.json()["errors"]} == pointers
            assert "hats" not in answer.text
        whole = {"checked": ["names", "house_numbers"]}
        assert client.post(f"{path}/approve", json={**whole, "seen": seen - 1}, headers=headers).status_code == 409
        assert (
            client.post(f"{path}/approve", json={**whole, "seen": seen}, headers=headers).json()["state"] == "published"
        )
        assert client.post(f"{path}/approve", json={**whole, "seen": seen}, headers=headers).status_code == 409


# The pages


def test_a_decision_by_the_page_alone(loos, people):
    """What stands in the way is told on the page, with what was typed; then the decision, and on with the queue."""
    id, _ = declared(loos, words="<script>alert(1)</script> 06 12 34 56 78")
    with client_of(loos) as client:
        session(loos, client, people["moderator"])
        page = client.get(f"/townhall/{id}?state=confirmed", headers=HTML).text
        assert "<script>alert" not in page
        assert '<mark title="numéro de téléphone">06 12 34 56 78</mark>' in page
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.split('class="decide"')[1]))
        first = client.post(
            f"/townhall/{id}", data={**form, "act": "approve", "reason": "Bien <b>vu</b>"}, headers={**OURS, **HTML}
        )
        assert first.status_code == 400
        assert 'href="#checklist"' in first.text
        assert "Bien &lt;b&gt;vu&lt;/b&gt;</textarea>" in first.text
        assert (
            client.post(
                f"/townhall/{id}", data={**form, "act": "reject", "reason": " "}, headers={**OURS, **HTML}
            ).text.count('href="#reason"')
            == 1
        )
        whole = {**form, "act": "approve", "checked": ["names", "house_numbers"]}
        done = client.post(f"/townhall/{id}", data=whole, headers=OURS)
        assert done.headers["location"] == "/townhall?state=confirmed&done=approve"
        assert "Déclaration publiée." in client.get(done.headers["location"], headers=HTML).text
        late = client.post(f"/townhall/{id}", data=whole, headers={**OURS, **HTML})
        assert late.status_code == 409
        assert "votre décision n’a pas été enregistrée" in late.text
        assert "moderator@loos.example</strong> approuve" in late.text
        for act in ("", "erase", "publish"):
            assert client.post(f"/townhall/{id}", data={**form, "act": act}, headers=OURS).status_code == 404


@pytest.mark.parametrize("lang", ["fr", "en", "de"])
def test_the_pages_speak_three_languages(loos, people, lang):
    """Every view and an entry of each state, in each language; none lacks a word."""
    ids = [make(loos) for state, make in STATES.items() if state not in ("nothing", "draft")]
    with client_of(loos) as client:
        session(loos, client, people["admin"])
        for view in ("confirmed", "amended", "flagged", "published", "hidden", "returned", "rejected", "withdrawn"):
            answer = client.get("/townhall", params={"state": view, "lang": lang}, headers=HTML)
            assert answer.status_code == 200
            assert f'<html lang="{lang}">' in answer.text
        for id in ids:
            assert client.get(f"/townhall/{id}", params={"lang": lang}, headers=HTML).status_code == 200


def test_the_queue_page_by_page(loos, people):
    """Fifty lines, then a link to the next; JSON the same by its cursor. A cursor of nobody's is the first page, or 400."""
    with loos.superuser() as connection:
        connection.execute(
            "insert into register.declarations (state, technology, owner_kind, location, precision, language, received_at, acted_at) "
            "select 'confirmed', 'photovoltaic', 'private_person', ST_SetSRID(ST_MakePoint(2.79, 50.45), 4326), 'cell_200m', 'fr', "
            "timestamptz '2026-01-01Z' + n / 3 * interval '1 minute', now() from generate_series(1, 120) n"
        )
    with client_of(loos) as client:
        headers = bearer(loos, people["moderator"])
        session(loos, client, people["moderator"])
        path, found = "/townhall", []
        while path:
            page = client.get(path, headers=HTML).text
            found += re.findall(r'<h2><a href="/townhall/([0-9a-f-]{36})', page)
            following = re.search(r'rel="next" href="([^"]+)"', page)
            path = following and following[1].replace("&amp;", "&")
        assert len(found) == len(set(found)) == 120
        client.cookies.clear()
        cursor, listed = None, []
        while True:
            params = {"limit": 50, **({"cursor": cursor} if cursor else {})}
            answer = client.get("/register/declarations", params=params, headers=headers).json()
            listed += [one["id"] for one in answer["declarations"]]
            cursor = answer["cursor"]
            if not cursor:
                break
        assert listed == found
        for bad in ("x", "é", "MjAyNg", "\x00", "a" * 300):
            assert client.get("/register/declarations", params={"cursor": bad}, headers=headers).status_code == 400
        for name, value in [("limit", "0"), ("limit", "-1"), ("limit", "x"), ("state", "draft"), ("other", "1")]:
            answer = client.get("/register/declarations", params={name: value}, headers=headers)
            assert answer.status_code == 400
            assert answer.json()["errors"][0]["parameter"] == name


def test_the_figures_for_whoever_watches(loos, people):
    """States, ages and letters; for administrators."""
    declared(loos)
    published(loos, email="second@example.org")
    with client_of(loos) as client:
        answer = client.get("/register/tally", headers=bearer(loos, people["admin"])).json()
    assert answer["states"] == {"confirmed": 1, "published": 1}
    assert answer["oldest_confirmed"].startswith("2026-05-01")
    assert answer["letters"]["failed"] == 0


def test_photos_are_for_the_town_alone_until_published(loos, people):
    """The picture of a declaration that waits is seen by who may look; nobody else, and no other type than JPEG."""
    id, _ = declared(loos)
    with loos.superuser() as connection:
        connection.execute(
            "insert into register.photos (declaration, waiting, large, small, width, height, at) values (%s, false, '\\xffd8', '\\xffd8', 1, 1, now())",
            [id],
        )
    with client_of(loos) as client:
        path = f"/townhall/{id}/photos"
        assert client.get(f"{path}/current").status_code == 401
        headers = bearer(loos, people["moderator"])
        answer = client.get(f"{path}/current", headers=headers)
        assert (answer.content, answer.headers["content-type"], answer.headers["cache-control"]) == (
            b"\xff\xd8",
            "image/jpeg",
            "no-store",
        )
        assert [client.get(f"{path}/{which}", headers=headers).status_code for which in ("waiting", "large")] == [
            404,
            404,
        ]


# Reports


def test_a_report_from_the_form_to_the_queue(loos, people):
    """The entry's page leads to the form, the mail to the button; the town sees the report and not who sent it."""
    id, _ = published(loos)
    entry = loos.scalar("select public_key from register.declarations where id = %s", id)
    with client_of(loos) as client:
        page = client.get("/flag", params={"entry": entry}, headers=HTML)
        assert page.status_code == 200
        assert "Pompe à chaleur" in page.text
        bad = client.post(
            "/flag", data={"entry": entry, "reason": "", "email": "x", "words": "<b>ici</b>"}, headers={**OURS, **HTML}
        )
        assert bad.status_code == 400
        assert "&lt;b&gt;ici&lt;/b&gt;</textarea>" in bad.text
        assert all(anchor in bad.text for anchor in ('href="#reason-gone"', 'href="#email"'))
        sent = client.post(
            "/flag",
            data={"entry": entry, "reason": "gone", "email": "voisin@example.org", "words": "Rien ici."},
            headers=OURS,
        )
        assert sent.status_code == 200
        token = mailed(loos, "flag_confirm")
        assert client.get("/flag/confirm", headers=HTML).status_code == 200
        assert client.post("/flag/confirm", data={"code": token}, headers=OURS).status_code == 200
        assert client.post("/flag/confirm", data={"code": token}, headers=OURS).status_code == 404
        found = client.get(f"/register/declarations/{id}", headers=bearer(loos, people["moderator"]))
        (one,) = found.json()["reports"]
        assert (one["reason"], one["words"]) == ("gone", "Rien ici.")
        assert "voisin" not in found.text


def test_programs_fill_in_what_nobody_sees(loos):
    """The field that stays empty: thanked like everybody, and forgotten."""
    id, _ = published(loos)
    entry = loos.scalar("select public_key from register.declarations where id = %s", id)
    with client_of(loos) as client:
        form = {"entry": entry, "reason": "gone", "email": "bot@example.org"}
        trapped = client.post("/flag", data={**form, "website": "https://spam.example"}, headers=OURS)
        assert loos.scalar("select count(*) from register.flags") == 0
        assert client.post("/flag", data=form, headers=OURS).content == trapped.content
        assert loos.scalar("select count(*) from register.flags") == 1


def test_there_is_no_form_for_what_is_not_public(loos):
    """Unknown, waiting, nonsense: one answer."""
    id, _ = declared(loos)
    entry = loos.scalar("select public_key from register.declarations where id = %s", id)
    with client_of(loos) as client:
        for one in (entry, uuid4(), "x", "", "\x00", id):
            assert client.get("/flag", params={"entry": str(one)}).status_code == 404
            assert (
                client.post(
                    "/flag", data={"entry": str(one), "reason": "gone", "email": "a@b.fr"}, headers=OURS
                ).status_code
                == 404
            )


def test_the_routes_of_the_town_hall_are_all_tried_here(looker):
    """A new private route must come with its tests: this list and the application's agree."""
    own = {(method, path) for method, path in routes(looker) if path.startswith(("/townhall", "/register", "/flag"))}
    assert own == {
        ("GET", "/townhall"),
        ("GET", "/townhall/login"),
        ("POST", "/townhall/login"),
        ("POST", "/townhall/session"),
        ("POST", "/townhall/logout"),
        ("GET", "/townhall/{id}"),
        ("POST", "/townhall/{id}"),
        ("GET", "/townhall/{id}/photos/{which}"),
        ("GET", "/register/declarations"),
        ("GET", "/register/declarations/{id}"),
        ("POST", "/register/declarations/{id}/{act}"),
        ("GET", "/register/tally"),
        ("GET", "/flag"),
        ("POST", "/flag"),
        ("GET", "/flag/confirm"),
        ("POST", "/flag/confirm"),
    }


HOSTILE = [
    b"",
    b"=" * 5000,
    b"&".join(b"checked=%d" % number for number in range(5000)),
    b"act=approve&act=hide&reason=%00&checked=names&checked[]=faces&seen=9" + b"9" * 500,
    b"act=approve&reason=%ff%fe&seen=-1",
    b"act=approve&seen=%F0%9F%98%80&reason=" + b"x" * 900_000,
    b'{"act": "approve"}',
    b"\x00\xff" * 100,
]


@pytest.mark.parametrize("sent", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", "text/plain", ""],
)
def test_hostile_forms(loos, people, sent, kind):
    """Huge, doubled, mis-encoded, of another type: refused by name or by page, never a 500, and nothing is decided."""
    id, _ = declared(loos)
    with client_of(loos) as client:
        session(loos, client, people["moderator"])
        before = everything(loos)
        for path in (
            f"/townhall/{id}",
            "/townhall/login",
            "/townhall/session",
            "/townhall/logout",
            "/flag",
            "/flag/confirm",
        ):
            answer = client.post(path, content=sent, headers={**OURS, "Content-Type": kind})
            assert 400 <= answer.status_code < 500, (path, answer.status_code)
        assert everything(loos) == before


@pytest.mark.parametrize(
    "id", ["x", "%00", "..%2F..", "1 or 1=1", "é", "A48EBDBF-630B-44B0-9843-3FCBC80B7E840", "{}", "a" * 3000]
)
def test_hostile_numbers(loos, people, id):
    """What is no declaration's number is 404, wherever it stands."""
    with client_of(loos) as client:
        headers = bearer(loos, people["admin"])
        for path in (f"/townhall/{id}", f"/townhall/{id}/photos/current", f"/register/declarations/{id}"):
            assert client.get(path, headers=headers).status_code in (404, 405)
        assert client.post(f"/register/declarations/{id}/approve", json={}, headers=headers).status_code == 404


def test_hostile_credentials(loos, people):
    """Of any length and any bytes: nobody."""
    with client_of(loos) as client:
        for value in (
            b"Bearer ",
            b"Bearer \xff\xfe",
            b"Bearer " + b"a" * 30_000,
            b"bearer",
            b"Bearer gohelle_\x80",
            b"Token x",
        ):
            assert client.get("/register/tally", headers=[(b"authorization", value)]).status_code in (400, 401, 431)
        for value in (
            b"gohelle=\xff",
            b"gohelle=" + b"a" * 30_000,
            b"gohelle=;gohelle=x",
            b"=;;=",
            b"__Host-gohelle=x",
        ):
            assert client.get("/townhall", headers=[(b"cookie", value), (b"accept", b"text/html")]).status_code in (
                303,
                400,
                431,
            )
