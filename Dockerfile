# syntax=docker/dockerfile:1

# Two images from one build: server (the default) and trusthubsim, the
# simulator that compose.yaml puts beside it.

FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION=unknown
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath \
      -ldflags "-s -w -X github.com/attestd/attestd/internal/server.version=$VERSION" \
      -o /out/ ./cmd/server ./cmd/trusthubsim

# Certificates and time zones, an unprivileged user, and no shell.
FROM gcr.io/distroless/static-debian12:nonroot AS trusthubsim
COPY --from=build /out/trusthubsim /trusthubsim
EXPOSE 9010
ENTRYPOINT ["/trusthubsim"]
CMD ["-listen", ":9010"]

# There is no HEALTHCHECK, because it would need a program to make the request:
# point the orchestrator at GET /livez and GET /readyz.
FROM gcr.io/distroless/static-debian12:nonroot AS server
COPY --from=build /out/server /server
EXPOSE 8080
ENTRYPOINT ["/server"]
CMD ["serve"]
