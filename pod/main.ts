/** What runs in the `fetch` and `upload` containers of each pod: `node pod.cjs fetch|upload`. */
import { writeFileSync } from 'node:fs';
import { fetchOrder, uploadOrder } from './environment.ts';
import { fetchFile } from './fetch.ts';
import { EXIT, FOLDER, TERMINATION_MESSAGE_LIMIT } from './protocol.ts';
import { type Ending, errorCode, type Log, Stop } from './stop.ts';
import { uploadOutput } from './upload.ts';

const TERMINATION_LOG = '/dev/termination-log';

const log: Log = (event, fields = {}) => console.log(JSON.stringify({ event, ...fields }));

async function run(command: string | undefined): Promise<Ending> {
  try {
    if (command === 'fetch') return await fetchFile(fetchOrder(process.env), { folder: FOLDER.in, log });
    if (command === 'upload')
      return await uploadOutput(uploadOrder(process.env), { folder: FOLDER.out, log });
    throw new Stop(EXIT.usage, 'The first argument must be fetch or upload.');
  } catch (error) {
    if (error instanceof Stop) return { code: error.code, message: error.message };
    // The message of an unforeseen error could hold a link.
    return { code: 1, message: `The ${command} program failed (${errorCode(error) ?? 'no system error'}).` };
  }
}

async function main(): Promise<void> {
  const { code, message } = await run(process.argv[2]);
  if (code !== EXIT.ok) log('program.failed', { code, message });
  if (message !== '') {
    try {
      // The kubelet has made it; outside a pod none is left behind.
      const bytes = Buffer.from(message).subarray(0, TERMINATION_MESSAGE_LIMIT);
      writeFileSync(TERMINATION_LOG, bytes, { flag: 'r+' });
    } catch (error) {
      log('termination_log.failed', { reason: errorCode(error) ?? 'unknown' });
    }
  }
  // Not process.exit: what is written to a pipe would be lost.
  process.exitCode = code;
}

// No top-level await: the bundle is CommonJS, which starts in half the time, since an ES module's import of
// node:http loads everything that it exports.
void main();
