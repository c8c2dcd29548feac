# The service in an image: no compiler, no npm, no root. The database is elsewhere; compose.yaml shows the whole.

FROM node:24-slim AS web
WORKDIR /app/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web .
RUN npm run build

FROM python:3.11-slim-trixie AS python
ENV UV_PYTHON=/usr/local/bin/python3 UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1
RUN python3 -m venv /uv && /uv/bin/pip install --no-cache-dir uv==0.13.9
WORKDIR /app
COPY pyproject.toml uv.lock README.md LICENSE ./
# the dependencies change less often than the code: a layer of their own
RUN /uv/bin/uv sync --locked --no-dev --no-install-project
COPY api api
COPY geo geo
COPY migrations migrations
COPY seed seed
COPY web web
RUN /uv/bin/uv sync --locked --no-dev

FROM python:3.11-slim-trixie
# pg_dump, pg_restore and psql, for gohelle backup and restore: 17 here, which fits the 16 of compose.yaml
# Pango: sets the text of reports that are printed as PDF
RUN apt-get update && apt-get install -y --no-install-recommends \
    postgresql-client libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin gohelle && install -d -o gohelle -m 700 /data
WORKDIR /app
COPY --from=python /app /app
COPY --from=web /app/web/built web/built
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 GOHELLE_HOST=0.0.0.0 GOHELLE_PORT=8000 \
    GOHELLE_DATA=/data
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s CMD ["python", "-c", \
    "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ[\"GOHELLE_PORT\"]}/healthz', timeout=4)"]
CMD ["gohelle", "serve"]
