/** Folders for tests, and the real file server that pods reach them through. */
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LinkSigner } from '../../drivers/ports.ts';
import { createFileServer, type FileServerSettings } from '../../fileserver/file-server.ts';
import { createLinkSigner } from '../../fileserver/links.ts';
import { recordingLog } from './redis-connection.ts';

export const TEST_KEYS = [{ id: 'k1', secret: 'a secret of at least thirty-two characters' }] as const;

export type FsPlaces = {
  /** An entry of PRISTINE_FILE_ROOTS. */
  root: string;
  signer: LinkSigner;
  url: string;
  server: Server;
  log: ReturnType<typeof recordingLog>;
  close(): Promise<void>;
};

/** A fresh root with a file server of its own on the loopback. */
export async function makeFsPlaces(settings: Partial<FileServerSettings> = {}): Promise<FsPlaces> {
  const root = await mkdtemp(join(tmpdir(), 'pristine-test-'));
  const log = recordingLog();
  const server = createFileServer({
    roots: [root],
    keys: [...TEST_KEYS],
    maxUploadBytes: 10_000_000,
    logger: log.log,
    ...settings,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const url = `http://127.0.0.1:${port}`;
  return {
    root,
    url,
    server,
    log,
    signer: createLinkSigner({ baseUrl: url, keys: [...TEST_KEYS] }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(root, { recursive: true, force: true });
    },
  };
}
