# syntax=docker/dockerfile:1
#
#   docker buildx build . --tag registry-token-operator:$VERSION \
#     --build-arg VERSION=$VERSION --build-arg REVISION=$(git rev-parse HEAD) \
#     --build-arg SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) \
#     --build-arg CREATED=$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ) \
#     --output type=image,rewrite-timestamp=true
#
# gives the same bytes each time, as long as the two base images are the same: for a release give both by digest
# (--build-arg BUILDER=…@sha256:… --build-arg BASE=…@sha256:…).
ARG BUILDER=docker.io/library/node:24.21.0-trixie-slim
ARG BASE=gcr.io/distroless/nodejs24-debian13:nonroot

FROM --platform=$BUILDPLATFORM ${BUILDER} AS build
WORKDIR /project
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY LICENSE tsconfig.json ./
COPY scripts scripts
COPY src src
RUN npm run bundle && npm run plugin -- --image dist

FROM ${BASE}
ARG VERSION
ARG REVISION
ARG CREATED
LABEL org.opencontainers.image.title="registry-token-operator" \
      org.opencontainers.image.description="Kubernetes operator that keeps image pull secrets alive: creates, rotates and revokes registry tokens" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=build /project/dist/app/ /app/
COPY --from=build /project/dist/bin/ /usr/local/bin/
WORKDIR /app
USER 65532:65532
# Node's permission model: no child process, no worker, no addon, no writing; reading only the app, the service account's files,
# the tokens for its identity at AWS (IRSA, EKS Pod Identity) and the three files that the process metrics come from.
# NODE_EXTRA_CA_CERTS works as usual.
#
# The young generation of V8's heap stays at 2 MiB a half. By itself it goes by the container's limit of memory, up to 16 MiB a half
# where that is large or missing, which takes 90 MiB more while many tokens are issued, and saves no time (docs/performance.md). The
# old generation is collected each time it has grown by 30 %, where V8 by itself lets it grow to a multiple: what thousands of answers
# of the API server leave there is gone before it fills the container. The limit of the whole heap V8 takes from the container's.
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=2", "--heap-growing-percent=30", "--permission", "--allow-fs-read=/app/*", "--allow-fs-read=/var/run/secrets/kubernetes.io/serviceaccount/*", "--allow-fs-read=/var/run/secrets/eks.amazonaws.com/serviceaccount/*", "--allow-fs-read=/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/*", "--allow-fs-read=/proc/self/status", "--allow-fs-read=/proc/self/limits", "--allow-fs-read=/proc/self/fd", "/app/main.mjs"]
