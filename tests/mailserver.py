"""A mail server in a process of its own, for tests that kill it: `python -m tests.mailserver PORT FOLDER`.

A letter is on the disk before the server says "250", as with any mail server worth the name.
"""

import asyncio
import os
import sys
import uuid
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class Keeper:
    """Writes each letter into a file."""

    def __init__(self, folder: Path) -> None:
        """The folder is there."""
        self.folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a letter."""
        made = self.folder / f"{uuid.uuid4()}.partial"
        with made.open("wb") as file:
            file.write(bytes(envelope.content or b""))  # pyright: ignore[reportArgumentType]
            file.flush()
            os.fsync(file.fileno())
        made.replace(made.with_suffix(".eml"))
        return "250 OK"


async def serve(port: int, folder: Path) -> None:
    """Take letters until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Keeper(folder), hostname="test"), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
