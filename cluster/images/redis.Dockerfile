# Redis with the Bloom filter, for clusters that can't pull redis:8, which has it built in. Context: the repository.
FROM redis/redis-stack-server:7.2.0-v10 AS modules

FROM debian:bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/*
COPY --from=modules /opt/redis-stack/lib/redisbloom.so /usr/lib/redis/redisbloom.so
USER 65532:65532
ENTRYPOINT ["/usr/bin/env"]
