"""The child process that prints one page: `python -m geo.files.printer`, HTML on stdin, PDF on stdout.

What the page says may come from anybody: nothing is fetched but what the page itself holds as `data:`, and the process
has limits of its own.
"""

import resource
import sys

from geo.files.printing import NO_PANGO, SECONDS

MEMORY = 1024**3


def main() -> None:
    """Print the one page."""
    for which, bound in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(which, (bound, bound))
    html = sys.stdin.buffer.read().decode()
    try:
        from weasyprint import HTML  # noqa: PLC0415 (it loads Pango, which may be missing)
        from weasyprint.urls import URLFetcher  # noqa: PLC0415
    except OSError:
        sys.exit(NO_PANGO)
    fetcher = URLFetcher(allowed_protocols=("data",))
    HTML(string=html, url_fetcher=fetcher).write_pdf(sys.stdout.buffer, pdf_variant="pdf/ua-1")


if __name__ == "__main__":
    main()
