# The base images carry tags only: their digests were not at hand when this was written. Renovate (.github/renovate.json)
# adds them in its first pull request and keeps them up to date.
# Go cross-compiles: the build runs on the machine's own platform for any other one.
FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# What the program says of itself: --build-arg VERSION=v1.2.3, else the version of the checkout. Go would call every build
# dirty, since the context lacks the files that .dockerignore leaves out.
ARG VERSION=""
ARG TARGETOS TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false -ldflags="-s -w -X main.version=${VERSION:-$(sh .ci/version)}" -o /out/missingkbs ./cmd/missingkbs && mkdir /out/data

# Nothing but the program and the root certificates; it runs without rights.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/missingkbs /usr/local/bin/missingkbs
COPY --from=build --chown=65532:65532 /out/data /data
COPY LICENSE /LICENSE
# Digests and their history are in /data/missingkbs/missingkbs.db unless DATABASE_URL or DATABASE_URL_FILE says otherwise.
# Neither is set here: both together are a mistake, and the image's could not be unset.
ENV XDG_DATA_HOME=/data
# Probes and Prometheus cannot reach the loopback address of a container. Publish the port only where that is wanted.
ENV HTTP_ADDR=:8080
EXPOSE 8080
VOLUME /data
USER 65532:65532
# Kubernetes asks /healthz and /readyz itself; Docker and Compose ask the program.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["missingkbs", "health"]
ENTRYPOINT ["missingkbs"]
CMD ["serve"]
