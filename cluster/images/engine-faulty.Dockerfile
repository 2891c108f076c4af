# An engine that misbehaves on purpose, for tests. Context: the repository.
FROM node:24-bookworm-slim
COPY engines/faulty/engine.cjs /engine.cjs
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/node", "/engine.cjs"]
