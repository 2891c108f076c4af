# The reference engine: Debian's mat2 behind a thin adapter. Context: the repository.
FROM debian:bookworm-slim
# No recommended packages: bubblewrap, which is one, can't work in a pod without privileges, and mat2 would try it.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends mat2 python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/*
COPY engines/mat2/pristine_mat2 /usr/lib/python3/dist-packages/pristine_mat2
RUN mkdir -p /pristine/in /pristine/out
ENV PATH=/usr/bin:/bin HOME=/tmp LANG=C.UTF-8
USER 65532:65532
ENTRYPOINT ["python3", "-I", "-m", "pristine_mat2"]
