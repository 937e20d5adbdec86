# The image of the operator: `make image` builds it, `make image-check` proves what this file promises.
# No `# syntax` line and no `RUN --mount`: docker (with and without BuildKit), podman and buildah read it alike.
# The bases are pinned by digest, so that nobody can replace them behind a tag; .github/dependabot.yml renews them each week. A
# digest is that of the index of all architectures: `docker buildx imagetools inspect NAME:TAG` prints the present one.

FROM docker.io/library/rust:1.95-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1 AS build
WORKDIR /build

# The dependencies first, against empty sources: this layer is built again only when Cargo.toml, Cargo.lock or the profile
# change. The empty package is cleaned away after, because cargo compares modification times and would take it for
# newer than sources that were checked out before this layer was built. Cargo.toml names the benchmarks, so cargo wants their
# files, and gets empty ones.
COPY Cargo.toml Cargo.lock cube-operator.profdata ./
# Cargo.toml says what the profile is for.
ENV RUSTFLAGS=-Cprofile-use=/build/cube-operator.profdata
RUN mkdir -p src/bin benches \
    && touch src/lib.rs src/bin/kubectl-cube.rs benches/core.rs benches/work.rs \
    && echo 'fn main() {}' >src/main.rs \
    && cargo build --release --locked --no-default-features --bin cube-operator \
    && cargo clean --release --locked --package cube-operator \
    && rm -r src

COPY src src
# The linker that comes with Rust puts the functions that run next to each other, in the order of their first call, and packs
# relocations, which glibc 2.36 and later read: an idle process takes 2 MB less. For arm64 it has to be named.
RUN cargo rustc --release --locked --no-default-features --bin cube-operator -- -C link-arg=-fuse-ld=lld -C link-arg="-B$(rustc --print sysroot)/lib/rustlib/$(rustc --print host-tuple)/bin/gcc-ld" -C link-arg=-Wl,-z,pack-relative-relocs,--irpgo-profile=cube-operator.profdata,--bp-startup-sort=function

# The smallest usual base that has what the program links to (glibc, libgcc) and what it reads: CA roots, without
# which it talks to no token endpoint. No shell and no package manager. Debian 12 like the stage above, so that the
# program never wants a newer glibc than it gets.
FROM gcr.io/distroless/cc-debian12:nonroot@sha256:9dac0a79194e45a7da0158a9c6da57b217585af0786db3845d1f0ec1a0dd182f
# Owned by root: the process cannot change its own program, even where the root filesystem is writable.
COPY --from=build /build/target/release/cube-operator /usr/local/bin/cube-operator

# A number: the kubelet cannot tell that a name is not root, and refuses it under `runAsNonRoot`.
USER 65532:65532
# /livez, /readyz and /metrics. Nothing is ever written to disk, so the root filesystem can be read-only.
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/cube-operator"]
# Every flag of `run` is also an environment variable, so that a Deployment need not repeat this.
CMD ["run"]

# tests/image/build.sh adds version and revision. Not through ARG: buildah keeps a LABEL layer when only the value of
# an ARG has changed, and the image would name an old commit.
LABEL org.opencontainers.image.title="cube-operator" \
      org.opencontainers.image.description="Keeps OAuth access tokens fresh in Kubernetes Secrets" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot"
