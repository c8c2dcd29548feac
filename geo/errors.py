"""Words of the domain for what can go wrong; no HTTP here (one table in api/ gives each its status).

GohelleError
├── NotFound          what was asked for is not there
│   └── BadKey        a mailed key opens nothing here; why is not told
├── Gone              what was asked for was there, and was taken away for good
├── Unauthenticated   who asks has not said who they are, or no longer counts as that
├── Forbidden         who asks may not do this
├── BadQuery          a question that cannot be understood   (a list of Problem)
├── BadInput          something handed in that cannot be kept (a list of Problem)
├── IllegalDecision   the life cycle has no such step from here
├── Conflict          the same key was used for something else
├── Stale             somebody else acted on it since it was looked at
├── TooMuch           the question or the body is over a bound that is named
├── TooOften          a limit against abuse is spent for now
├── TooSlow           the database gave up after its time limit
└── Unavailable       the database cannot be reached, or has no free connection
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, and where: a query parameter or a JSON pointer. The message never echoes the input."""

    message: str
    parameter: str | None = None
    pointer: str | None = None


class GohelleError(Exception):
    """The root of all errors that the house raises on purpose."""


class NotFound(GohelleError):
    """What was asked for is not there."""


class BadKey(NotFound):
    """A mailed key that opens nothing here: unknown, expired, used, cut off or meant for something else, all alike."""

    def __init__(self) -> None:
        """One sentence for every cause, so that nobody learns which keys there are."""
        super().__init__("this link does not work, or no longer; a new one can be asked for")


class Gone(GohelleError):
    """What was asked for was there, and was taken away for good: whoever has a copy is to drop it."""


class Unauthenticated(GohelleError):
    """Who asks has not said who they are, or no longer counts as that."""


class Forbidden(GohelleError):
    """Who asks may not do this."""


class Problematic(GohelleError):
    """An error that lists all that is wrong at once."""

    def __init__(self, *problems: Problem) -> None:
        """Keep the problems in the order in which they were found."""
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class BadQuery(Problematic):
    """A question that cannot be understood."""


class BadInput(Problematic):
    """Something handed in that cannot be kept."""


class IllegalDecision(GohelleError):
    """The life cycle has no such step from here."""


class Conflict(GohelleError):
    """The same key was used for something else."""


class Stale(GohelleError):
    """Somebody else acted on it since it was looked at."""


class TooMuch(GohelleError):
    """The question or the body is over a bound that the message names."""


class TooOften(GohelleError):
    """A limit against abuse is spent for now; `retry_after` says for how many seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        """Keep when it is worth asking again."""
        super().__init__(message)
        self.retry_after = retry_after


class TooSlow(GohelleError):
    """The database gave up after its time limit."""


class Unavailable(GohelleError):
    """The database cannot be reached, or has no free connection."""


class Broken(RuntimeError):
    """A statement failed that never should: our own mistake. Its text holds no value of any row."""
