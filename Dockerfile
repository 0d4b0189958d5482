# One image for web, worker and beat; docker-compose.yml says which of them a container is.
FROM python:3.11-slim-bookworm AS build
RUN pip install --no-cache-dir --disable-pip-version-check uv
COPY requirements/production.txt /requirements.txt
RUN python -m venv /venv \
    && uv pip install --no-cache --compile-bytecode --python /venv/bin/python --require-hashes -r /requirements.txt

FROM python:3.11-slim-bookworm
# Pango and fonts are for WeasyPrint, which draws the invoices; the second font has Chinese and Japanese names.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core fonts-droid-fallback \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home atelier \
    && install --directory --owner atelier --group atelier /var/lib/atelier
COPY --from=build /venv /venv
COPY . /srv/atelier
WORKDIR /srv/atelier
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 VAR_DIR=/var/lib/atelier LOG_FORMAT=json \
    METRICS_DIR=/tmp/metrics
USER atelier
VOLUME /var/lib/atelier
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "tools/healthcheck.py"]
CMD ["granian", "--interface", "rsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--http", "1", \
     "--no-ws", "--http1-header-read-timeout", "10000", "--http1-buffer-size", "65536", "--respawn-failed-workers", \
     "config.rsgi:application"]
