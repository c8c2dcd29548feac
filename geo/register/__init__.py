"""The register: residents declare, the town decides, and what is approved is written beside it for all to see."""

from geo.register.deciding import decide
from geo.register.declaring import (
    Owned,
    Receipt,
    amend,
    ask_again,
    check,
    confirm,
    erase,
    held,
    owned,
    renew,
    submit,
    withdraw,
)
from geo.register.draft import BadDraft, Draft, Fault
from geo.register.lifecycle import Actor
from geo.register.queue import Declaration, queue

__all__ = [
    "Actor",
    "BadDraft",
    "Declaration",
    "Draft",
    "Fault",
    "Owned",
    "Receipt",
    "amend",
    "ask_again",
    "check",
    "confirm",
    "decide",
    "erase",
    "held",
    "owned",
    "queue",
    "renew",
    "submit",
    "withdraw",
]
