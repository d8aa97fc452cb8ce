# mailcheck as an image: one static binary, no shell, no root.
#
#   docker build -t mailcheck .
#   docker run --rm mailcheck audit example.org
#   docker run --rm -v "$PWD:/work:ro" mailcheck audit            with ./mailcheck.yaml
#   docker run --rm -v mailcheck:/var/lib/mailcheck -v "$PWD/reports:/work:ro" mailcheck reports import /work
#
# BINARY says where the binary comes from: "source" builds it here; "prebuilt" takes
# linux/amd64/mailcheck and the like from the context, as a release does.
ARG BINARY=source

FROM --platform=$BUILDPLATFORM golang:1.26 AS source
ARG TARGETOS TARGETARCH VERSION=devel
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath \
	-ldflags "-s -w -X github.com/mailcheck-go/mailcheck/internal/cli.version=$VERSION" \
	-o /mailcheck ./cmd/mailcheck

FROM scratch AS prebuilt
ARG TARGETPLATFORM=linux/amd64
COPY $TARGETPLATFORM/mailcheck /mailcheck

FROM ${BINARY} AS binary

# The roots of TLS are in the binary (golang.org/x/crypto/x509roots/fallback). A file
# mounted at /etc/ssl/certs/ca-certificates.crt takes their place.
FROM scratch
COPY contrib/docker/etc/ /etc/
COPY --chown=65532:65532 contrib/docker/state/ /var/lib/mailcheck/
COPY --from=binary /mailcheck /usr/bin/mailcheck

# What is kept: the archive of reports, baselines, limits of probes.
ENV HOME=/var/lib/mailcheck \
	XDG_STATE_HOME=/var/lib/mailcheck/state \
	MAILCHECK_STORE=/var/lib/mailcheck/reports \
	TMPDIR=/var/lib/mailcheck
VOLUME /var/lib/mailcheck

# mailcheck.yaml is read from the working directory.
WORKDIR /work

# A number, so that "runAsNonRoot" of Kubernetes can see that it is not root.
USER 65532:65532
ENTRYPOINT ["/usr/bin/mailcheck"]
CMD ["--help"]
