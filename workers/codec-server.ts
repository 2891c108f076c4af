/** `node workers/codec-server.ts`: decodes payloads for the Web UI and the temporal CLI. Ends on SIGTERM or SIGINT. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EVENT, type Logger } from '../drivers/events.ts';
import { createCodecServer } from './codec-app.ts';
import { createAuthorizer } from './codec-authorizer.ts';
import {
  type CodecServerConfig,
  printCodecServerConfig,
  readCodecServerConfig,
} from './codec-server-config.ts';
import { readCertificate, renewCertificate } from './codec-tls.ts';
import { createLogger } from './log-lines.ts';
import { createLogOutput } from './log-output.ts';
import { createPayloadCodec } from './payload-codec.ts';
import { ConfigError } from './variables.ts';

try {
  await serve(readCodecServerConfig(process.env));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function serve(config: CodecServerConfig): Promise<void> {
  const logger = createLogger(config.log, createLogOutput(process.stdout));
  const server = await openServer(config, logger);
  server.listen(config.listen.port, config.listen.host);
  await once(server, 'listening');
  // With port 0 the system chose one.
  const { address, port } = server.address() as AddressInfo;
  logger.info(
    { event: EVENT.serverStarted, address, port, config: printCodecServerConfig(config) },
    'codec server listens',
  );
  const stop = () => {
    server.close();
    server.closeIdleConnections();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

async function openServer(config: CodecServerConfig, logger: Logger): Promise<Server> {
  const { namespace, origins, tls } = config;
  const authorize = createAuthorizer(config);
  const settings = { codec: createPayloadCodec(config), namespace, origins, authorize, logger };
  if (tls === undefined) return createCodecServer(settings);
  const certificate = await readCertificate(tls);
  const server = createCodecServer(settings, certificate);
  const { stop } = renewCertificate(server, tls, certificate, logger);
  return server.once('close', stop);
}
