# The sandbox, a local Colony for tests, in a container:
#
#   docker build -t colony-sandbox .
#   docker run --rm -p 127.0.0.1:8000:8000 colony-sandbox
#
# It listens on every interface of the container, and is published on loopback only by the command above.
FROM rust:1-slim-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package colony-cli

FROM debian:bookworm-slim
COPY --from=build /src/target/release/colony /usr/local/bin/colony
USER 65534:65534
EXPOSE 8000
ENTRYPOINT ["colony", "sandbox", "--host", "0.0.0.0", "--port", "8000"]
