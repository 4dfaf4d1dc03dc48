# The application and its history: the container upgrades its database, then serves.
#   docker build --target=api .   what serves: no tasks, no compiler, no pip in the way of the application
#   docker build --target=ops .   the same with `inv` and PostgreSQL's client programs, for backups
ARG PYTHON=3.13
ARG DEBIAN=bookworm

FROM python:${PYTHON}-slim-${DEBIAN} AS base
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /srv/massacorp

# Only wheels, only with the hashes of the lock; the dev extras are not even looked at.
FROM base AS packages
COPY pyproject.toml requirements.lock ./
COPY scripts/select_requirements.py scripts/
RUN python -m venv --without-pip /opt/venv \
 && python scripts/select_requirements.py > api.txt \
 && python -m pip --python=/opt/venv/bin/python install --no-cache-dir --no-deps --only-binary=:all: \
    --require-hashes --compile -r api.txt

FROM packages AS ops-packages
RUN python scripts/select_requirements.py ops > ops.txt \
 && python -m pip --python=/opt/venv/bin/python install --no-cache-dir --no-deps --only-binary=:all: \
    --require-hashes --compile -r ops.txt

FROM base AS api
COPY --from=packages /opt/venv /opt/venv
COPY alembic.ini ./
COPY alembic alembic
COPY envs envs
COPY scripts/docker-entrypoint.sh scripts/
COPY app app
# Compiled once, here: what runs may have no right to write, and starts a second sooner.
RUN python -m compileall -q app alembic
# A number, so that an orchestrator can see that it is not root; it owns no file of the image.
USER 10001:10001
ENV APP_ENV=docker
EXPOSE 8000
# Alive, not ready: who restarts unhealthy containers must not do so because the database is away, nor during a long
# upgrade, which is within the start period.
HEALTHCHECK --interval=10s --timeout=3s --start-period=1h --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
ENTRYPOINT ["scripts/docker-entrypoint.sh"]
CMD ["uvicorn", "--factory", "app.main:application", "--host", "0.0.0.0", "--port", "8000"]

# pg_dump must not be older than the server (POSTGRES of docker-compose.yml); Debian's own is, so PostgreSQL's
# archive is switched on by the script that Debian ships for it.
FROM api AS ops
ARG POSTGRES=18
USER 0:0
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git postgresql-common \
 && sh /usr/share/postgresql-common/pgdg/*.sh -y \
 && apt-get install -y --no-install-recommends postgresql-client-${POSTGRES} \
 && rm -rf /var/lib/apt/lists/*
COPY --from=ops-packages /opt/venv /opt/venv
COPY tasks.py ./
COPY scripts scripts
RUN python -m compileall -q tasks.py scripts && install -d -o 10001 -g 10001 backups
USER 10001:10001
HEALTHCHECK NONE
ENTRYPOINT []
CMD ["inv", "--list"]
