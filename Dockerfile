# Tidegate and its page, in an image that holds nothing else but Debian's C library: `docker build -t tidegate .`
#
# Started without a command it is a node with all roles in its data folder, /var/lib/tidegate, and listens on the container's
# loopback address only; to be reached it needs `--listen 0.0.0.0:4000` and a configuration with a [[client]].

# Builds the page.
FROM node:22.22.0-bookworm-slim AS node

# The oldest Rust that Tidegate is built with. It brings a C linker, and needs no more.
FROM rust:1.95.0-slim-bookworm AS build
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /build
COPY . .
# Without the page, the build fails.
ENV TIDEGATE_REQUIRE_CONSOLE=1
# What is kept between builds is no part of an image, so what is wanted of it is copied.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/root/.npm \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked \
    && cp target/release/tidegate /usr/local/bin/tidegate

# Distroless images are smaller, but have no tags of an exact version.
FROM debian:bookworm-20260824-slim
COPY --from=build /usr/local/bin/tidegate /usr/local/bin/tidegate
# A volume that is new takes its owner from here.
RUN install --directory --owner=65532 --group=65532 --mode=0700 /var/lib/tidegate
USER 65532:65532
WORKDIR /var/lib/tidegate
VOLUME /var/lib/tidegate
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s --retries=6 \
    CMD ["tidegate", "ready", "--url", "http://127.0.0.1:4000"]
ENTRYPOINT ["tidegate"]
