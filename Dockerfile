# The panel as an image, for compose.yml. On one machine without Docker, use `make up`.
FROM debian:bookworm-slim AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/webpanel
COPY . .
ENV WEBPANEL_HOME=/srv/webpanel/built UV_COMPILE_BYTECODE=1
# Whoever cloned it with a strict umask: the image's user reads all, and writes nothing of it.
RUN python3 -m setup build \
    && rm -rf .tools node_modules \
    && python3 -m compileall -q agents apps setup webpanel \
    && chmod --recursive a+rX .

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 redis-tools \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home-dir /var/lib/webpanel --shell /usr/sbin/nologin webpanel \
    && install --directory --mode 0700 --owner webpanel --group webpanel \
        /var/lib/webpanel /run/webpanel
COPY --from=build /srv/webpanel /srv/webpanel
WORKDIR /srv/webpanel
ENV WEBPANEL_HOME=/var/lib/webpanel \
    WEBPANEL_RUN=/run/webpanel \
    WEBPANEL_WHEELS=/srv/webpanel/built/wheels \
    WEBPANEL_CONTAINER=1 \
    PYTHONUNBUFFERED=1
USER webpanel
VOLUME ["/var/lib/webpanel", "/run/webpanel"]
ENTRYPOINT ["python3", "-m", "setup"]
