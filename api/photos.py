"""The public photos, and the sums of those who are counted without being shown."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from api.house import InHouse
from geo.errors import NotFound
from geo.register import photos

router = APIRouter()


@router.get("/photos/{photo_id}")
def photo(photo_id: str, house: InHouse) -> Response:
    """A photo of a published entry, as JPEG."""
    return _photo(photo_id, house, small=False)


@router.get("/photos/{photo_id}/small")
def small_photo(photo_id: str, house: InHouse) -> Response:
    """The same, at most 480 pixels wide or high."""
    return _photo(photo_id, house, small=True)


def _photo(photo_id: str, house: InHouse, *, small: bool) -> Response:
    try:
        id = UUID(photo_id)
    except ValueError as error:
        raise NotFound("there is no such photo") from error
    with house.db.read() as tx:
        data = photos.public(tx, id, small=small)
    # Asked for again each time: what is withdrawn is gone everywhere at once.
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Response(data, 200, headers, "image/jpeg")
