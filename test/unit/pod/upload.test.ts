import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { link, mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { EXIT } from '../../../pod/protocol.ts';
import { terminationMessage, uploadOutput } from '../../../pod/upload.ts';
import { folder, IMPATIENT, keptLog, stopped } from './quick.ts';
import { type Handler, scriptedServer, status } from './scripted-server.ts';

const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');
const LIMITS = { maxRebuiltBytes: 1000, maxReportBytes: 100 };

/** Fills an output folder, runs `upload` against a script, and says how it ended and what the server got. */
async function run(fill: (out: string) => unknown, ...script: Handler[]) {
  await using server = await scriptedServer(...(script.length > 0 ? script : [status(200)]));
  await using out = await folder();
  await fill(out.path);
  const { log, events } = keptLog();
  const urls = {
    rebuilt: server.url('/slot/rebuilt?sig=abc'),
    'report.xml': server.url('/slot/report.xml?sig=abc'),
    'report.json': server.url('/slot/report.json?sig=abc'),
  };
  let said = '';
  const ending = await stopped(
    uploadOutput({ urls, ...LIMITS }, { folder: out.path, log, patience: IMPATIENT }).then((end) => {
      said = end.message;
    }),
  );
  return { ...ending, report: said === '' ? null : JSON.parse(said), got: server.got, events };
}

const files = (contents: Record<string, string>) => async (out: string) => {
  for (const [name, content] of Object.entries(contents)) await writeFile(join(out, name), content);
};

describe('upload', () => {
  test('creates the rebuilt file and its report, and says sizes and hashes', async () => {
    const { report, got } = await run(files({ rebuilt: 'clean', 'report.xml': '<r/>' }));
    expect(report).toEqual({
      verdict: 'rebuilt',
      files: [
        { name: 'report.xml', size: 4, sha256: sha256('<r/>') },
        { name: 'rebuilt', size: 5, sha256: sha256('clean') },
      ],
    });
    expect(got.map(({ method, path, body }) => [method, path, body.toString()])).toEqual([
      ['PUT', '/slot/report.xml?sig=abc', '<r/>'],
      ['PUT', '/slot/rebuilt?sig=abc', 'clean'],
    ]);
    for (const { headers, body } of got)
      expect(headers).toMatchObject({ 'if-none-match': '*', 'content-length': String(body.length) });
  });

  test('sends the condition unless a presigned link says that its store takes none', async () => {
    for (const [query, condition] of [
      ['X-Amz-SignedHeaders=host', undefined],
      ['X-Amz-SignedHeaders=host%3Bif-none-match', '*'],
      ['', '*'],
    ]) {
      await using server = await scriptedServer(status(200));
      await using out = await folder();
      await files({ rebuilt: 'clean' })(out.path);
      const url = server.url(`/slot/rebuilt?${query}`);
      const urls = { rebuilt: url, 'report.xml': url, 'report.json': url };
      await uploadOutput({ urls, ...LIMITS }, { folder: out.path, log: keptLog().log });
      expect([query, server.got[0]?.headers['if-none-match']]).toEqual([query, condition]);
    }
  });

  test('a refusal sends the report only, and the first line as its reason', async () => {
    const { report, got } = await run(files({ refused: 'encrypted\nsecond line', 'report.json': '{}' }));
    expect(report).toEqual({
      verdict: 'refused',
      reason: 'encrypted',
      files: [{ name: 'report.json', size: 2, sha256: sha256('{}') }],
    });
    expect(got.map(({ path }) => path)).toEqual(['/slot/report.json?sig=abc']);
  });

  test('a refusal needs no report', async () => {
    const { report, got } = await run(files({ refused: '' }));
    expect(report).toEqual({ verdict: 'refused', reason: 'The engine gave no reason.', files: [] });
    expect(got).toEqual([]);
  });

  test.each<[string, (out: string) => unknown]>([
    ['nothing', () => undefined],
    ['a report alone', files({ 'report.xml': 'x' })],
    ['rebuilt and refused', files({ rebuilt: 'x', refused: 'y' })],
    ['two reports', files({ rebuilt: 'x', 'report.xml': 'x', 'report.json': 'x' })],
    ['an empty rebuilt', files({ rebuilt: '' })],
    ['a link as rebuilt', (out) => symlink('/etc/hostname', join(out, 'rebuilt'))],
    ['a dangling link as rebuilt', (out) => symlink('/nowhere', join(out, 'rebuilt'))],
    ['a link as refused', (out) => symlink('/etc/hostname', join(out, 'refused'))],
    [
      'a link as report',
      async (out) => {
        await files({ rebuilt: 'x' })(out);
        await symlink('/etc/hostname', join(out, 'report.xml'));
      },
    ],
    ['a folder as rebuilt', (out) => mkdir(join(out, 'rebuilt'))],
    ['a FIFO as rebuilt', (out) => execFileSync('mkfifo', [join(out, 'rebuilt')])],
    [
      'a FIFO as report',
      async (out) => {
        await files({ rebuilt: 'x' })(out);
        execFileSync('mkfifo', [join(out, 'report.xml')]);
      },
    ],
    ['a FIFO as refused', (out) => execFileSync('mkfifo', [join(out, 'refused')])],
    ['a link to a device as rebuilt', (out) => symlink('/dev/zero', join(out, 'rebuilt'))],
    [
      'a second name of a file',
      async (out) => {
        await files({ rebuilt: 'x' })(out);
        await link(join(out, 'rebuilt'), join(out, 'again'));
      },
    ],
    ['too large a rebuilt', files({ rebuilt: 'x'.repeat(1001) })],
    [
      'a sparse rebuilt of 10 GB',
      async (out) => {
        await files({ rebuilt: 'x' })(out);
        await truncate(join(out, 'rebuilt'), 10e9);
      },
    ],
    ['too large a report', files({ rebuilt: 'x', 'report.xml': 'x'.repeat(101) })],
  ])('%s is bad output, and nothing is sent', async (_what, fill) => {
    const { code, message, got } = await run(fill);
    expect(code).toBe(EXIT.badOutput);
    expect(message).toMatch(/^[A-Z].*\.$/);
    expect(got).toEqual([]);
  });

  test('leaves other entries alone', async () => {
    const { report } = await run(async (out) => {
      await files({ rebuilt: 'x', 'rebuilt.tmp': 'y' })(out);
      await mkdir(join(out, 'scratch'));
    });
    expect(report.files).toHaveLength(1);
  });

  test('an object that is there already is success, with the hash of the file', async () => {
    const { report } = await run(files({ rebuilt: 'clean' }), status(412));
    expect(report.files).toEqual([{ name: 'rebuilt', size: 5, sha256: sha256('clean') }]);
  });

  test.each([[500], [503], [409]])('HTTP %d is tried again with the whole body', async (code) => {
    const { report, got } = await run(files({ rebuilt: 'clean' }), status(code), status(200));
    expect(report.verdict).toBe('rebuilt');
    expect(got.map(({ body }) => body.toString())).toEqual(['clean', 'clean']);
  });

  test.each([
    [401, EXIT.linkRefused],
    [403, EXIT.linkRefused],
    [507, EXIT.destinationFull],
    [404, EXIT.transfer],
    [413, EXIT.badOutput],
    [302, EXIT.transfer],
  ])('HTTP %d ends it at once with exit code %d', async (code, exit) => {
    expect(await run(files({ rebuilt: 'x' }), status(code))).toMatchObject({
      code: exit,
      got: [expect.anything()],
    });
  });

  test('gives up after four hiccups, and says the link nowhere', async () => {
    const { code, message, events, got } = await run(files({ rebuilt: 'x' }), status(503));
    expect(code).toBe(EXIT.transfer);
    expect(got).toHaveLength(4);
    expect(message + events.join()).not.toMatch(/sig=|slot|127\.0\.0\.1/);
  });

  test('a termination message fits whatever the reason', () => {
    const report = {
      verdict: 'refused' as const,
      reason: '\u{1F512}\\'.repeat(3000),
      files: [{ name: 'report.xml' as const, size: 1, sha256: 'a'.repeat(64) }],
    };
    const text = terminationMessage(report);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096);
    expect(JSON.parse(text)).toMatchObject({ verdict: 'refused', files: report.files });
  });
});
