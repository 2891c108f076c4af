import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openStore, type PodImages, podImages, runPod, type Store, whole } from './pod-run.ts';

const CONTENT = Buffer.from('an original');
const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

let store: Store;
let images: PodImages;
beforeAll(async () => {
  images = await podImages();
  store = await openStore();
}, 600_000);
afterAll(() => store.close());

const faulty = (...args: string[]) =>
  runPod(store, images, { content: CONTENT, profile: { image: images.faulty, args } });

describe('a whole pod on the real cluster', () => {
  test('fetches, runs the engine, uploads, and says what it uploaded', async () => {
    const { outcome, uploaded, logs } = await faulty('rebuild');
    const rebuilt = Buffer.from('rebuilt by faulty\nan original');
    expect(uploaded.rebuilt).toEqual(rebuilt);
    expect(outcome).toMatchObject({
      kind: 'uploaded',
      report: {
        verdict: 'rebuilt',
        files: [{ name: 'report.json' }, { name: 'rebuilt', size: rebuilt.length, sha256: sha256(rebuilt) }],
      },
      exitCodes: { fetch: 0, engine: 0, upload: 0 },
    });
    expect(JSON.stringify(logs)).not.toMatch(/secret|sig=/);
  }, 180_000);

  test('a refusal keeps its report and its reason', async () => {
    const { outcome, uploaded } = await faulty('refuse', 'no\u001b[2J thanks');
    expect(outcome).toMatchObject({ kind: 'uploaded', report: { verdict: 'refused' } });
    expect(JSON.stringify(outcome)).toContain('thanks');
    expect(JSON.stringify(outcome)).not.toContain('\\u001b');
    expect(Object.keys(uploaded)).toEqual(['report.json']);
  }, 180_000);

  test.concurrent.each([
    ['refuse-by-exit', 'exit 3 is a refusal', { kind: 'refused', reason: 'refused on purpose' }],
    ['exit 7', 'any other exit code is a crash', { kind: 'failed', class: 'crash' }],
    ['rebuild-and-exit 1', 'whatever it left', { kind: 'failed', class: 'crash' }],
    ['crash SIGABRT', 'a signal is a crash', { kind: 'failed', class: 'crash' }],
    ['nothing', 'no output is a crash', { kind: 'failed', class: 'crash' }],
    ['report-only', 'a report alone too', { kind: 'failed', class: 'crash' }],
    ['empty', 'an empty output too', { kind: 'failed', class: 'crash' }],
    ['both', 'both verdicts too', { kind: 'failed', class: 'crash' }],
    ['two-reports', 'two reports too', { kind: 'failed', class: 'crash' }],
    ['link', 'a link to the input too', { kind: 'failed', class: 'crash' }],
    ['report-link /etc/passwd', 'a report that is a link too', { kind: 'failed', class: 'crash' }],
    ['hard-link', 'a file with two names too', { kind: 'failed', class: 'crash' }],
    ['folder', 'a folder too', { kind: 'failed', class: 'crash' }],
    ['socket', 'a socket too', { kind: 'failed', class: 'crash' }],
    ['huge', 'too large a file too', { kind: 'failed', class: 'crash' }],
    ['unreadable', 'a file that can not be read too', { kind: 'failed', class: 'crash' }],
    ['write-input', 'the input can not be written', { kind: 'failed', class: 'crash' }],
    ['memory', 'out of memory is a matter of resources', { kind: 'failed', class: 'resource' }],
    ['orphan', 'what it started ends with it', { kind: 'uploaded' }],
  ])(
    '%s: %s',
    async (mode, _what, expected) => {
      const { outcome, uploaded } = await faulty(...mode.split(' '));
      expect(outcome).toMatchObject(expected);
      expect(outcome.kind === 'uploaded' ? [] : Object.keys(uploaded)).toEqual([]);
    },
    180_000,
  );

  test('a source that is gone, changed, or refuses the link', async () => {
    const get = (status: number) =>
      runPod(store, images, {
        content: CONTENT,
        profile: { image: images.faulty },
        get: (_request, response) => response.writeHead(status).end(),
      });
    const changed = runPod(store, images, {
      content: CONTENT,
      profile: { image: images.faulty },
      get: whole(Buffer.from('another')),
    });
    const [gone, refused, other] = await Promise.all([get(404), get(403), changed]);
    expect(gone.outcome).toMatchObject({ kind: 'source-gone', exitCodes: { fetch: 11 } });
    expect(refused.outcome).toMatchObject({ kind: 'failed', class: 'disruption', exitCodes: { fetch: 12 } });
    expect(other.outcome).toMatchObject({ kind: 'changed', exitCodes: { fetch: 10 } });
    expect(JSON.stringify([gone, refused, other])).not.toMatch(/secret|sig=/);
  }, 180_000);
});
