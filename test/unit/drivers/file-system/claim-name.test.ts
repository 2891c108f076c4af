import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FsDestination } from '../../../../drivers/destination/fs.ts';
import { openFolder } from '../../../../drivers/file-system/anchor.ts';
import { claimName } from '../../../../drivers/file-system/claim-name.ts';
import { TempFile } from '../../../../drivers/file-system/temp-file.ts';
import { readText } from '../../../contract/collect.ts';

let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'pristine-claim-'));
  await mkdir(join(base, 'out'));
});
afterEach(() => rm(base, { recursive: true }));

const WHOLE = 'a whole receipt';

describe('a writer that is killed', () => {
  /** Does what a conditional create does, and ends itself by SIGKILL after `steps` of it. */
  async function diesAfter(steps: number): Promise<void> {
    const drivers = join(import.meta.dirname, '../../../../drivers/file-system');
    const script = `
      import { openFolder } from ${JSON.stringify(`${drivers}/anchor.ts`)};
      import { claimName } from ${JSON.stringify(`${drivers}/claim-name.ts`)};
      import { TempFile } from ${JSON.stringify(`${drivers}/temp-file.ts`)};
      const [base, steps] = process.argv.slice(1);
      const root = await openFolder({ base, below: [] }, []);
      const parent = await openFolder({ base, below: ['out'] }, []);
      let temp;
      const all = [
        async () => { temp = await TempFile.create(root); },
        () => temp.append(Buffer.from(${JSON.stringify(WHOLE.slice(0, 5))})),
        () => temp.append(Buffer.from(${JSON.stringify(WHOLE.slice(5))})),
        () => temp.finish(),
        () => claimName(temp, parent, 'receipt.json', false),
        () => temp.discard(),
      ];
      for (const step of all.slice(0, Number(steps))) await step();
      process.kill(process.pid, 'SIGKILL');
      setInterval(() => temp, 1000);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, base, String(steps)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code, signal] = await once(child, 'exit');
    expect([code, signal]).toEqual([null, 'SIGKILL']);
  }

  test.each([
    [1, 'the temporary file was made', false],
    [2, 'half of it was written', false],
    [3, 'all of it was written', false],
    [4, 'it was brought to the disk', false],
    [5, 'it took its name', true],
    [6, 'its temporary name was removed', true],
  ])(
    'after %i steps, when %s, leaves no file or a whole one, and nothing after the next check',
    async (steps, _, whole) => {
      await diesAfter(steps);
      const receipt = join(base, 'out/receipt.json');
      expect(await readFile(receipt, 'utf8').catch(() => null)).toBe(whole ? WHOLE : null);
      expect(await readdir(join(base, '.pristine-tmp'))).toHaveLength(steps === 6 ? 0 : 1);

      const signer = { sign: () => 'http://nobody.invalid/' };
      const destination = new FsDestination({ url: 'file:///x', anchor: { base, below: ['out'] } }, signer);
      await destination.check();
      expect(await readdir(join(base, '.pristine-tmp'))).toEqual([]);
      expect(await destination.create('receipt.json', 'the next writer')).toBe(!whole);
      expect(await readText(destination, 'receipt.json')).toBe(whole ? WHOLE : 'the next writer');
      expect((await stat(receipt)).nlink).toBe(1);
    },
  );
});

describe('where there are no hard links', () => {
  /** A real temporary file on a file system that answers link(2) with this. */
  async function claim(code: string, singleWriter: boolean, text = WHOLE) {
    const root = await openFolder({ base, below: [] }, []);
    const parent = await openFolder({ base, below: ['out'] }, []);
    const temp = await TempFile.create(root);
    try {
      await temp.append(Buffer.from(text));
      await temp.finish();
      const linkless = {
        claim: () => Promise.reject(Object.assign(new Error('no links'), { code })),
        replaceNobody: temp.replaceNobody.bind(temp),
      };
      return await claimName(linkless, parent, 'receipt.json', singleWriter);
    } finally {
      await temp.discard();
      await parent.close();
      await root.close();
    }
  }

  test.each(['EPERM', 'ENOTSUP', 'ENOSYS'])('%s is told and nothing is written', async (code) => {
    await expect(claim(code, false)).rejects.toMatchObject({ code });
    expect(await readdir(join(base, 'out'))).toEqual([]);
    expect(await readdir(join(base, '.pristine-tmp'))).toEqual([]);
  });

  test('a single writer takes a name that nobody has, and says that nothing fenced it', async () => {
    expect(await claim('EPERM', true)).toEqual({ claimed: true, fenced: false });
    expect(await claim('EPERM', true, 'a second one')).toEqual({ claimed: false, fenced: false });
    expect(await readFile(join(base, 'out/receipt.json'), 'utf8')).toBe(WHOLE);
    expect(await readdir(join(base, '.pristine-tmp'))).toEqual([]);
  });

  test('another error stays one, also for a single writer', async () => {
    await expect(claim('ENOSPC', true)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await readdir(join(base, 'out'))).toEqual([]);
  });
});

test('where there are hard links a single writer uses them', async () => {
  const root = await openFolder({ base, below: [] }, []);
  const parent = await openFolder({ base, below: ['out'] }, []);
  const temp = await TempFile.create(root);
  await temp.finish();
  expect(await claimName(temp, parent, 'a', true)).toEqual({ claimed: true, fenced: true });
  const second = await TempFile.create(root);
  await second.finish();
  expect(await claimName(second, parent, 'a', true)).toEqual({ claimed: false, fenced: true });
  await second.discard();
  for (const each of [parent, root]) await each.close();
  await temp.discard();
});
