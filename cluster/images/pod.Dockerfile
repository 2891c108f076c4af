# fetch and upload, the programs of every file pod: Node, its libraries and one file. Context: the repository.
FROM node:24-bookworm-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY pod pod
COPY drivers/ports.ts drivers/ports.ts
RUN npx esbuild pod/main.ts --bundle --platform=node --format=cjs --target=node24 --minify --legal-comments=none --outfile=/root-fs/pod.cjs \
 && chmod 0644 /root-fs/pod.cjs
RUN mkdir -p /root-fs/usr/local/bin /root-fs/usr/lib/x86_64-linux-gnu /root-fs/usr/lib64 /root-fs/etc /root-fs/dev /root-fs/proc /root-fs/sys \
 && mkdir -m 1777 /root-fs/tmp \
 && ln -s usr/lib /root-fs/lib && ln -s usr/lib64 /root-fs/lib64 \
 && strip -o /root-fs/usr/local/bin/node "$(command -v node)" \
 && for library in $(ldd "$(command -v node)" | grep -o '/[^ ]*'); do cp -L "$library" "/root-fs$library"; done

FROM scratch
COPY --from=build /root-fs /
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/node", "/pod.cjs"]
