"""A drawing that somebody uploads, given back as GeoJSON that questions take. Nothing of it is kept."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import BoundedSemaphore
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from api.execution import UNKEPT
from api.links import GEOJSON_TYPE
from api.query import Parameters, one_of
from geo.errors import Unavailable
from geo.files import uploads

router = APIRouter()

PATIENCE_SECONDS = 10
TURN = BoundedSemaphore(1)
"""One file at a time is opened for one worker: each may take a processor and 2 GiB."""
PLACES = BoundedSemaphore(4)
"""So many files arrive or wait at once for one worker: each takes its bytes of the disk, and then a thread."""


async def received(request: Request) -> AsyncIterator[Path]:
    """The folder of the body, which is written as it comes: no part of it stays in memory.

    Its type is not asked for: the file's own first bytes tell what it is. The folder is ours, not the child's: a child
    that is killed leaves nothing unpacked behind. Unavailable where too many arrive.
    """
    if not PLACES.acquire(blocking=False):
        raise Unavailable("other files are being received")
    try:
        with TemporaryDirectory(prefix="gohelle-upload-") as folder:
            with Path(folder, uploads.NAME).open("wb") as file:
                async for part in request.stream():
                    file.write(part)
            yield Path(folder)
    finally:
        PLACES.release()


@router.post("/uploads", max_body_size=uploads.LARGEST)
def upload(folder: Annotated[Path, Depends(received)], request: Request) -> Response:
    """The file as a FeatureCollection in WGS 84; `repair=true` mends what is invalid."""
    parameters = Parameters(request.query_params.multi_items())
    repair = parameters.take("repair", one_of(["true", "false"]), "false") == "true"
    parameters.finish()
    if not TURN.acquire(timeout=PATIENCE_SECONDS):
        raise Unavailable("other files are being opened")
    try:
        drawing = uploads.opened(folder, repair=repair)
    finally:
        TURN.release()
    return Response(json.dumps(drawing), media_type=GEOJSON_TYPE, headers=UNKEPT)
