# The base images carry tags only: their digests were not at hand when this was written. Renovate (.github/renovate.json)
# adds them in its first pull request and keeps them up to date.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# What the program says of itself: --build-arg VERSION=v1.2.3, else the version of the checkout. Go would call every build
# dirty, since the context lacks the files that .dockerignore leaves out.
ARG VERSION=""
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w -X main.version=${VERSION:-$(sh .ci/version)}" -o /out/missingkbs ./cmd/missingkbs && mkdir /out/data

# Nothing but the program and the root certificates; it runs as nobody.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/missingkbs /usr/local/bin/missingkbs
COPY --from=build --chown=65532:65532 /out/data /data
COPY LICENSE /LICENSE
# Digests and their history are in /data/missingkbs/missingkbs.db unless DATABASE_URL or DATABASE_URL_FILE says otherwise.
# Neither is set here: both together are a mistake, and nobody could take away what the image sets.
ENV XDG_DATA_HOME=/data
# In a container loopback reaches nobody: probes and Prometheus ask from outside. Publish the port only where that is wanted.
ENV HTTP_ADDR=:8080
EXPOSE 8080
VOLUME /data
USER 65532:65532
ENTRYPOINT ["missingkbs"]
CMD ["serve"]
