# syntax=docker/dockerfile:1

# Builds Vestibule from this source and puts the one binary into a small image.
#
#   docker build -t vestibule .
#   docker run --read-only --tmpfs /tmp -v ./config:/etc/vestibule:ro -v accounts:/var/lib/vestibule -p 443:8443 -p 80:8080 vestibule
#
# What is in ./config belongs to the user 10001, or can be read by it.

FROM rust:1.95-slim-bookworm AS build
# cmake, make and a C compiler: for zlib-ng, ring and SQLite, which are built from source
RUN apt-get update \
 && apt-get install -y --no-install-recommends build-essential cmake \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY Cargo.toml Cargo.lock ./
# The dependencies alone first: this layer is built again only when Cargo.lock changes.
RUN mkdir -p src tests/blackbox \
 && echo 'fn main() {}' > src/main.rs \
 && touch src/lib.rs \
 && echo 'fn main() {}' > tests/blackbox/main.rs \
 && cargo build --locked --profile dist --bin vestibule \
 && rm -rf src tests
COPY . .
# The time stamps of what was copied may be older than those of the stand-ins.
RUN touch src/lib.rs src/main.rs \
 && cargo build --locked --profile dist --bin vestibule

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 vestibule \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/vestibule --no-create-home --shell /usr/sbin/nologin vestibule \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/vestibule \
 && install -d -o root -g 10001 -m 0750 /etc/vestibule
COPY --from=build /source/target/dist/vestibule /usr/local/bin/vestibule

# A fixed number, so that volumes and key files can be given to it; never root.
USER 10001:10001
# The accounts, when they are in SQLite. Nothing else is written: the root file system may be read-only.
VOLUME /var/lib/vestibule
EXPOSE 8080 8443
STOPSIGNAL SIGTERM

# Asks for the liveness path, which every listener answers before anything else. It speaks no TLS: VESTIBULE_HEALTH_PORT names the port of a
# listener without it, such as { address: 0.0.0.0:8080, redirect_to_https: on }.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${VESTIBULE_HEALTH_PORT:-8080} && printf 'GET /.vestibule/live HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r -t 2 _ status _ <&3 && [ \"$status\" = 200 ]"]

ENTRYPOINT ["/usr/local/bin/vestibule"]
CMD ["serve"]
