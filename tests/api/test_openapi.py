"""The description is valid OpenAPI 3.0.3, is what QGIS and GDAL need, and is true: Schemathesis tries it."""

import os
import re

import pyogrio
import pytest
import schemathesis
from hypothesis import given, settings
from openapi_spec_validator import OpenAPIV30SpecValidator
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks as conformance

from api.tiles import SET
from tests.api.conftest import routes
from tests.conftest import PATIENT

EXAMPLES = 200 if os.environ.get("GOHELLE_LONG") else 8
"""Of each operation; there are about ninety."""


@pytest.fixture(scope="module")
def described(looker):
    """The document, in English."""
    return looker.get("/api", params={"lang": "en"}).json()


def test_it_is_valid(described):
    """3.0.3 in its text and in its schemas."""
    assert described["openapi"] == "3.0.3"
    assert list(OpenAPIV30SpecValidator(described).iter_errors()) == []


def test_every_collection_is_spelt_out(looker, described):
    """GDAL reads the parameters of each collection's own path, QGIS the default and maximum of its limit."""
    for one in looker.get("/collections").json()["collections"]:
        parameters = {
            resolved["name"]: resolved
            for parameter in described["paths"][f"/collections/{one['id']}/items"]["get"]["parameters"]
            for resolved in [described["components"]["parameters"][parameter["$ref"].split("/")[-1]] if "$ref" in parameter else parameter]
        }  # fmt: skip
        limit = parameters["limit"]["schema"]
        assert (limit["minimum"], limit["default"], limit["maximum"]) == (1, 100, 10_000)
        bbox = parameters["bbox"]
        assert (bbox["style"], bbox["explode"], bbox["schema"]["minItems"], bbox["schema"]["maxItems"]) == (
            "form",
            False,
            4,
            6,
        )
        queryables = looker.get(f"/collections/{one['id']}/queryables").json()["properties"].keys() - {"geometry"}
        assert queryables <= parameters.keys()


def _bare(path: str) -> str:
    """The path with its parameters unnamed, and the one tile matrix set for any."""
    return re.sub(rf"\{{\w+\}}|{SET}", "{}", path)


def test_every_route_is_described(looker, described):
    """No hidden door: each path of the application is in the document, or is a file or its own pattern."""
    paths = {path for _, path in routes(looker) if "{collection_id}" not in path}
    assert len(paths) > 20
    assert {_bare(path) for path in paths} <= {_bare(path) for path in described["paths"]}


def test_gdal_reads_every_collection_whole(service, looker):
    """Over many pages, with the same features."""
    for one in looker.get("/collections").json()["collections"]:
        frame = pyogrio.read_dataframe(f"OAPIF:{service.url}", layer=one["id"], PAGE_SIZE="3")
        assert len(frame) == one["itemCount"], one["id"]


def test_gdal_knows_the_columns_types(service):
    """From the schema, whatever the first page holds: decimals stay decimals, dates dates."""
    info = pyogrio.read_info(f"OAPIF:{service.url}", layer="solar")
    types = dict(zip(info["fields"], info["dtypes"], strict=True))
    assert (types["power_kw"], types["year"], types["visitors_welcome"]) == ("float64", "int32", "bool")
    assert (types["since"], types["name"]) == ("datetime64[D]", "object")


CHECKS = [
    not_a_server_error,
    conformance.status_code_conformance,
    conformance.content_type_conformance,
    conformance.response_schema_conformance,
    conformance.unsupported_method,
]


@pytest.fixture(scope="module")
def schema(described):
    """The document as Schemathesis tries it: more examples in the long run."""
    config = SchemathesisConfig.from_dict({"generation": {"allow-x00": True, "mode": "all"}})
    return schemathesis.openapi.from_dict(described, config=config)


@pytest.mark.long
@pytest.mark.parametrize("share", range(4))
def test_the_description_is_true(schema, service, share):
    """No 5xx and no undocumented answer to anything that the document allows, or forbids."""
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) > 80
    for operation in operations[share::4]:

        @given(case=operation.as_strategy())
        @settings(deadline=None, max_examples=EXAMPLES, database=None, suppress_health_check=PATIENT)
        def tries(case):
            case.call_and_validate(base_url=service.url, checks=CHECKS, timeout=20)

        tries()
