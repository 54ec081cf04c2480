# syntax=docker/dockerfile:1

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=""
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -X main.version=${VERSION}" -o /out/missingkbs ./cmd/missingkbs

# Nothing but the program and the root certificates; it runs as nobody.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/missingkbs /missingkbs
COPY LICENSE /LICENSE
USER 65532:65532
ENTRYPOINT ["/missingkbs"]
CMD ["serve"]
