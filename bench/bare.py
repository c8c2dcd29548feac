"""The ceiling: an ASGI application that sends finished bytes with the headers of the service's own answers.

GOHELLE_BENCH_BARE names a JSON file: path -> [status, headers, body in base64].
"""

import base64
import json
import os
from pathlib import Path
from typing import Any

ANSWERS = {
    path: (status, [(name.encode(), value.encode()) for name, value in headers], base64.b64decode(body))
    for path, (status, headers, body) in json.loads(Path(os.environ["GOHELLE_BENCH_BARE"]).read_text()).items()
}


async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 (every ASGI application is given it)
    """Answer a path of the list."""
    if scope["type"] != "http":
        return
    status, headers, body = ANSWERS[scope["path"]]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
