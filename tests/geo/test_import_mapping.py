"""A mapping: what it may say, and what is wrong with one, all at once."""

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest

from geo.errors import BadInput
from geo.files import mapping
from geo.files.values import Reading, Refused, day, plain
from tests.geo.importing import AREAS, PLACES

SEED = Path(__file__).parent.parent.parent / "seed"
SHIPPED = sorted(SEED.glob("**/datasets/*.toml"))
LICENCES = {"etalab-2.0", "ODbL-1.0", "MIT", "CC-BY-4.0"}


def load(folder: Path, text: str, **how) -> mapping.Dataset:
    """The mapping that this text describes."""
    path = folder / "small.toml"
    path.write_text(text, "utf-8")
    return mapping.load(path, **how)


def values(folder: Path, text: str, **row) -> dict:
    """What a row's fields become."""
    reading = Reading(load(folder, text), tuple(row))
    return dict(zip(reading.columns, reading.values(tuple(row.values())), strict=True))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_mapping_is_sound(path: Path) -> None:
    """It loads, its licence is an SPDX identifier, its constants fit their columns."""
    dataset = mapping.load(path)
    assert dataset.licence in LICENCES
    assert dataset.attribution
    assert path.read_text("utf-8").startswith("# ")
    Reading(dataset, tuple(name for name, _ in dataset.fields()))


def test_mappings_have_names_of_their_own() -> None:
    """Whether of a pack or for any town."""
    assert len({path.stem for path in SHIPPED}) == len(SHIPPED)


def test_a_mapping_is_found_by_name(tmp_path: Path) -> None:
    """In the pack first, then among those for any town; a name is never a path."""
    (tmp_path / "datasets").mkdir()
    own = tmp_path / "datasets" / "communes.toml"
    own.write_text(AREAS, "utf-8")
    assert mapping.find("communes", tmp_path) == own
    assert mapping.find("monuments", tmp_path) == mapping.SHARED / "monuments.toml"
    with pytest.raises(BadInput, match=r"there are: .*communes"):
        mapping.find("../../etc/passwd", tmp_path)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    """With the mapping's name and the entry's."""
    broken = """
titel = "x"
attribution = ""
kind = "areas"
source_key = "constant"
keep = ["colour"]
position = "digitised"
[columns]
name = { field = "a", text = "b" }
colour = "green"
dataset = "x"
area_ha = { measure = "volume" }
access = "{unclosed"
"""
    with pytest.raises(BadInput) as caught:
        load(tmp_path, broken)
    said = "\n".join(problem.message for problem in caught.value.problems)
    for word in ("titel", "title", "attribution", "source_key", "keep", "columns.colour", "columns.dataset"):
        assert f"small.toml, {word}:" in said
    for sentence in ("exactly one of", "measure must be", "not closed", "columns.category: is required", "licence"):
        assert sentence in said


def test_the_kind_must_be_the_mappings(tmp_path: Path) -> None:
    """And one that there is."""
    with pytest.raises(BadInput, match="is for the kind areas"):
        load(tmp_path, AREAS, kind="paths")
    with pytest.raises(BadInput, match="kind: must be one of"):
        load(tmp_path, AREAS.replace('"areas"', '"dwellings"'))


def test_a_constant_that_its_column_refuses_is_the_mappings_fault(tmp_path: Path) -> None:
    """Not that of every row."""
    with pytest.raises(BadInput, match="category is none of"):
        values(tmp_path, AREAS.replace('"park"', '"garden"'), nom="x")


def test_templates_choices_scales_and_empties(tmp_path: Path) -> None:
    """A template is empty where a field of it is; then the next alternative counts."""
    text = PLACES.replace('name = "{nom}"', 'name = ["{usual}", "{nom} {n}"]') + (
        'site = { field = "s", choices = { a = "11/19", "*" = "elsewhere" } }\n'
        'depth_m = { field = "cm", scale = 0.01, empty = ["0"] }\n'
        'since = "{year}"\nname_en = "In {nom}"\n'
    )
    row = {"usual": None, "nom": "Loos", "n": 254.0, "s": "a", "cm": "1250,5", "year": "1857"}
    found = values(tmp_path, text, **row)
    assert (found["name"], found["site"], found["depth_m"]) == ("Loos 254", "11/19", pytest.approx(12.505))
    assert (found["since"], found["since_precision"]) == (date(1857, 1, 1), "year")
    assert found["translations"].obj == {"en": {"name": "In Loos"}}
    other = values(tmp_path, text, **{**row, "usual": "Usual", "s": "z", "cm": "0", "year": ""})
    assert (other["name"], other["site"], other["depth_m"], other["since"]) == ("Usual", "elsewhere", None, None)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("depth_m", "deep", "depth_m is no number: “deep”"),
        ("depth_m", "-1", "depth_m is less than 0: “-1”"),
        ("depth_m", "inf", "depth_m is no finite number: “inf”"),
        ("since", "soon", "since is no date: “soon”"),
        ("since", "2024-02-30", "since is no date: “2024-02-30”"),
        ("source_url", "javascript:x", "source_url is no http(s) address: “javascript:x”"),
        ("description", "a\0b", "description holds a zero byte"),
        ("description", "a" * 20_001, "description has more than 20000 characters"),
        ("name", "", "name is empty, and required"),
        ("category", "", "category is empty, and required"),
    ],
)
def test_values_that_a_column_refuses(tmp_path: Path, column: str, value: str, reason: str) -> None:
    """Each with its reason; long values are cut."""
    text = re.sub(rf"^{column} = .*\n", "", PLACES, flags=re.MULTILINE) + f'{column} = "{{field}}"\n'
    with pytest.raises(Refused, match=f"^{re.escape(reason)}"):
        values(tmp_path, text, nom="x", field=value)


def test_an_optional_field_that_the_file_lacks_leaves_its_column_alone(tmp_path: Path) -> None:
    """So that a poorer file does not empty what a richer one brought."""
    text = PLACES + 'height_m = { field = "h", optional = true }\n'
    assert "height_m" not in values(tmp_path, text, nom="x")
    assert values(tmp_path, text, nom="x", h="3")["height_m"] == 3


def test_fields_inside_a_field_of_json(tmp_path: Path) -> None:
    """As OpenStreetMap's tags come; a field that really has a point in its name goes first."""
    text = PLACES + 'site = "{tags.a}"\norganisation = "{real.point}"\ndescription = { field = "tags.b:c" }\n'
    found = values(tmp_path, text, **{"nom": "x", "tags": '{"a": "1", "b:c": "2"}', "real.point": "3"})
    assert (found["site"], found["organisation"], found["description"]) == ("1", "3", "2")
    assert values(tmp_path, text, **{"nom": "x", "tags": "no JSON", "real.point": "3"})["site"] is None


@pytest.mark.parametrize("side", ["d", "g"])
def test_both_spellings_of_the_national_cycle_file(side: str) -> None:
    """The published file writes two values with underscores on one side."""
    dataset = mapping.load(mapping.SHARED / "cycle-paths.toml")
    row = {"id_local": "1", "code_com_d": "62528", "code_com_g": "62528", "ame_d": "AUCUN", "ame_g": "AUCUN"}
    for written in ("CHAUSSEE_A_VOIE_CENTRALE_BANALISEE", "CHAUSSEE A VOIE CENTRALE BANALISEE"):
        reading = Reading(dataset, (*row, f"revetement_{side}"))
        found = reading.values((*(row | {f"ame_{side}": written}).values(), "LISSE"))
        said = dict(zip(reading.columns, found, strict=True))
        assert said[f"ame_{side}"] == "CHAUSSEE A VOIE CENTRALE BANALISEE"
        assert (said[f"revet_{side}"], said["category"]) == ("LISSE", "cycleway")


def test_filters_take_and_leave_rows(tmp_path: Path) -> None:
    """`where` takes any of its values, `unless` leaves them out."""
    dataset = load(tmp_path, PLACES + '[where]\ninsee = ["62528", 62498]\n[unless]\nopen = false\n')
    reading = Reading(dataset, ("nom", "insee", "open"))
    rows = [("a", "62528", True), ("b", 62498, None), ("c", "62528", False), ("d", "75056", True)]
    assert [row[0] for row in rows if reading.wanted(row)] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1857", (date(1857, 1, 1), "year")),
        ("2009-09", (date(2009, 9, 1), "month")),
        ("2009-09-09T10:00:00Z", (date(2009, 9, 9), "day")),
        ("09/11/2009", (date(2009, 11, 9), "day")),
    ],
)
def test_dates_know_how_much_of_them_is_known(text: str, expected: tuple[date, str]) -> None:
    """Years and months become their first day, and say so."""
    assert day("since", text) == expected


def test_plain_writes_values_as_a_person_would() -> None:
    """Whole floats without a point, nothing for what is missing."""
    values = (None, 254.0, 2.5, float("nan"), True, " x ", ["a"])
    assert [plain(value) for value in values] == ["", "254", "2.5", "", "true", "x", '["a"]']


def test_the_documentation_names_every_shipped_mapping() -> None:
    """And every key that a mapping may have."""
    text = (SEED.parent / "docs" / "import.md").read_text("utf-8")
    for name in [path.stem for path in SHIPPED] + sorted(mapping.OWN_KEYS | mapping.CELL_KEYS | set(mapping.MEASURES)):
        assert f"`{name}`" in text or f"\n{name} " in text or f"\n[{name}]" in text or f"{name} =" in text, name
    for name in mapping.Layout.__dataclass_fields__:
        assert f"{name} =" in text, name
    assert tomllib.loads(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0])["kind"] == "places"
