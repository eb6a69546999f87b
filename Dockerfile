# The panel as an image, for compose.yml. On one machine without Docker, use `make up`.
FROM debian:bookworm-slim AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/webpanel
COPY . .
ENV WEBPANEL_HOME=/srv/webpanel/built
RUN python3 -m setup build && rm -rf .tools node_modules

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates iproute2 python3 redis-tools \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /srv/webpanel /srv/webpanel
WORKDIR /srv/webpanel
ENV WEBPANEL_HOME=/var/lib/webpanel WEBPANEL_RUN=/run/webpanel WEBPANEL_WHEELS=/srv/webpanel/built/wheels
VOLUME ["/var/lib/webpanel", "/run/webpanel"]
ENTRYPOINT ["python3", "-m", "setup"]
