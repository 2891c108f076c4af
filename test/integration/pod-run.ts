/**
 * Runs one whole file pod on the real cluster, against a small store of this test's own: what it would GET, where it
 * would PUT. Needs the stack (`make up`).
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureImages } from '../../cluster/build-images.ts';
import { run, runChecked } from '../../cluster/command.ts';
import { containerdSocket, importArchive } from '../../cluster/containerd.ts';
import { layoutOf } from '../../cluster/layout.ts';
import { filePodManifest } from '../../drivers/kubernetes/file-pod.ts';
import { podOutcome } from '../../drivers/kubernetes/pod-outcome.ts';
import { slimPod } from '../../drivers/kubernetes/slim-pod.ts';
import type { PodOutcome } from '../../drivers/ports.ts';
import { profileFingerprint, profileSchema } from '../../drivers/profile.ts';

const NAMESPACE = 'pristine-files';

export type PodImages = { pod: string; mat2: string; faulty: string };

/** Images built and on the node. */
export async function podImages(): Promise<PodImages> {
  const layout = layoutOf(join(import.meta.dirname, '../..'), process.env);
  const images = await ensureImages({
    cacheDir: layout.cache,
    stateDir: layout.state,
    progress: () => undefined,
  });
  if (existsSync(containerdSocket(layout)))
    for (const name of ['pod', 'engine-mat2', 'engine-faulty'] as const)
      await importArchive(layout, images[name].archive, images[name].ref);
  return { pod: images.pod.ref, mat2: images['engine-mat2'].ref, faulty: images['engine-faulty'].ref };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export type Store = {
  address: string;
  /** What pods have created, by path. */
  objects: Map<string, Buffer>;
  /** Answers the GET of a path; without one it is 404. */
  originals: Map<string, Handler>;
  close: () => Promise<void>;
};

/** A store that pods can reach: GET what a test says, PUT creates and never replaces. */
export async function openStore(): Promise<Store> {
  const host = process.env.PRISTINE_HOST_ADDRESS;
  if (!host) throw new Error('PRISTINE_HOST_ADDRESS is not set: run `make up`, then `. .pristine/env`.');
  const objects = new Map<string, Buffer>();
  const originals = new Map<string, Handler>();
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://store').pathname;
    if (request.method === 'GET') {
      const handler = originals.get(path);
      if (handler) handler(request, response);
      else response.writeHead(404).end();
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const taken = objects.has(path) && request.headers['if-none-match'] === '*';
    if (!taken) objects.set(path, Buffer.concat(chunks));
    response.writeHead(taken ? 412 : 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  if (address === null || typeof address !== 'object') throw new Error('the store has no port');
  return {
    address: `http://${host}:${address.port}`,
    objects,
    originals,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Answers with these bytes. */
export const whole =
  (content: Uint8Array): Handler =>
  (_request, response) => {
    response.writeHead(200, { 'content-length': content.length }).end(content);
  };

export type Ran = {
  outcome: PodOutcome;
  /** What it uploaded, by name. */
  uploaded: Record<string, Buffer>;
  logs: Record<string, string>;
  seconds: number;
};

/** Creates the pod, waits until it has ended, reads its logs, deletes it. Throws after `deadlineSeconds`. */
export async function runPod(
  store: Store,
  images: PodImages,
  wanted: {
    content: Uint8Array;
    profile: { image: string } & Record<string, unknown>;
    get?: Handler;
    deadlineSeconds?: number;
  },
): Promise<Ran> {
  const id = randomBytes(8).toString('hex');
  const profile = profileSchema.parse({ scratch: '64Mi', maxRebuiltBytes: 32 << 20, ...wanted.profile });
  const name = `pristine-test-${id}`;
  store.originals.set(`/in/${id}`, wanted.get ?? whole(wanted.content));
  const put = (file: string) => `${store.address}/slot/${id}/${file}?sig=secret-${id}`;
  const manifest = filePodManifest(
    {
      name,
      scanId: 'pod-test',
      workflowId: `file-${id}`,
      runId: id,
      sha256: createHash('sha256').update(wanted.content).digest('hex'),
      size: wanted.content.length,
      attempt: 1,
      slot: `a1-${id}`,
      profile: { name: 'test', fingerprint: profileFingerprint(profile) },
      tier: 0,
      getUrl: `${store.address}/in/${id}?sig=secret-${id}`,
      putUrls: {
        rebuilt: put('rebuilt'),
        'report.xml': put('report.xml'),
        'report.json': put('report.json'),
      },
    },
    profile,
    { namespace: NAMESPACE, instance: 'pod-test', podImage: images.pod },
  );
  const began = performance.now();
  await runChecked('kubectl', ['create', '-f', '-'], { input: JSON.stringify(manifest) });
  try {
    const outcome = await ended(name, wanted.deadlineSeconds ?? 150);
    const seconds = (performance.now() - began) / 1000;
    const logs: Record<string, string> = {};
    for (const container of ['fetch', 'engine', 'upload']) {
      const { stdout } = await run('kubectl', [
        '-n',
        NAMESPACE,
        'logs',
        name,
        '-c',
        container,
        '--limit-bytes=65536',
      ]);
      logs[container] = stdout;
    }
    const prefix = `/slot/${id}/`;
    const uploaded = Object.fromEntries(
      [...store.objects]
        .filter(([path]) => path.startsWith(prefix))
        .map(([path, body]) => [path.slice(prefix.length), body]),
    );
    return { outcome, uploaded, logs, seconds };
  } finally {
    await run('kubectl', ['-n', NAMESPACE, 'delete', 'pod', name, '--wait=false', '--ignore-not-found']);
  }
}

async function ended(name: string, deadlineSeconds: number): Promise<PodOutcome> {
  const deadline = performance.now() + deadlineSeconds * 1000;
  for (;;) {
    const json: unknown = JSON.parse(
      await runChecked('kubectl', ['-n', NAMESPACE, 'get', 'pod', name, '-o', 'json']),
    );
    const pod = slimPod(json);
    const outcome = pod && podOutcome(pod);
    if (outcome) return outcome;
    if (performance.now() > deadline) throw new Error(`${name} has not ended: ${JSON.stringify(pod)}`);
    await sleep(500);
  }
}
