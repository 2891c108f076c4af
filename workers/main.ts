/** `node workers/main.ts`: one worker process with the roles of its configuration. Ends on SIGTERM or SIGINT, drained. */
import { ConfigError, readConfig } from './config.ts';
import { runWorker } from './run-worker.ts';

try {
  await runWorker(readConfig(process.env));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
