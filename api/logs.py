"""How the processes of the house write their log: one line an event, for people or for machines."""

import logging
import sys

import structlog

from geo.settings import Settings


def configure_logging(settings: Settings) -> None:
    """One line an event on standard error: for people, or as JSON for machines (GOHELLE_LOG_FORMAT=json)."""
    # Tracebacks come without the variables' values: those may be a resident's.
    if settings.log_format == "json":
        transformer = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        shown = [structlog.processors.ExceptionRenderer(transformer), structlog.processors.JSONRenderer()]
    else:
        plain = structlog.dev.plain_traceback
        shown = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain, pad_event_to=12)]
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            *shown,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
