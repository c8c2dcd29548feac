"""Figures, milestones and documents lead to the places that they are about."""

import re

from tests.api.conftest import client_of, heard

HTML = {"Accept": "text/html"}


def abouts(client, id):
    """What the items of a collection refer to."""
    features = client.get(f"/collections/{id}/items", params={"limit": 1000}).json()["features"]
    return [ref for feature in features for ref in feature["properties"]["about"] or ()]


def test_what_is_told_leads_to_the_map(looker):
    """Each reference of the documents and milestones is a link, by its name: on the map where it has a place there."""
    for id in ("milestones", "documents"):
        page = looker.get(f"/collections/{id}/items", headers=HTML).text
        wanted = abouts(looker, id)
        assert wanted
        for ref in wanted:
            path = f"/collections/{ref['collection']}/items"
            (item,) = looker.get(path, params={"source_key": ref["source_key"]}).json()["features"]
            placed = looker.get(f"/collections/{ref['collection']}").json()["geometryType"]
            address = rf"at={ref['collection']}/{item['id']}" if placed else rf"{path}/{item['id']}"
            assert re.search(rf'{address}">[^<]+</a>', page), ref
        assert "source_key=" not in page


def test_the_names_speak_the_page_s_language_and_follow_changes(loos):
    """A renamed place is renamed on the pages that speak of it, although they did not change themselves."""
    with client_of(loos) as client:
        ref = abouts(client, "milestones")[0]
        kind = client.get(f"/collections/{ref['collection']}").json()["kind"]
        path = "/collections/milestones/items?lang=en"
        tag = client.get(path, headers=HTML).headers["etag"]
        with loos.superuser() as connection:
            connection.execute(
                f"update territory.{kind} set name = 'Autre nom', "  # pyright: ignore[reportArgumentType]
                'translations = \'{"en": {"name": "Other <name>"}}\' where source_key = %s',
                [ref["source_key"]],
            )
        heard(client, loos)
        answer = client.get(path, headers={**HTML, "If-None-Match": tag})
        assert answer.status_code == 200
        assert ">Other &lt;name&gt;</a>" in answer.text
        assert ">Autre nom</a>" in client.get(path.replace("en", "fr"), headers=HTML).text


def test_a_reference_to_nothing_stays_a_search(loos):
    """Its page is whole all the same."""
    with loos.superuser() as connection:
        connection.execute(
            """update territory.milestones set about = '[{"collection": "gardens", "source_key": "none"},
            {"collection": "nowhere", "source_key": "x"}]'"""
        )
    with client_of(loos) as client:
        answer = client.get("/collections/milestones/items", headers=HTML)
    assert answer.status_code == 200
    assert "source_key=none" in answer.text
