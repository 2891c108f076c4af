/**
 * Runs the program of an image as a pod would: its own root, read-only, without network, privileges or other
 * processes; the input read-only; scratch of bounded size. Needs root and util-linux, no container runtime.
 */
import { spawnSync } from 'node:child_process';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { runChecked } from '../../cluster/command.ts';
import { openOutput } from '../../pod/output.ts';
import { Stop } from '../../pod/stop.ts';

export type EngineRun = {
  /** 128 + n when signal n ended it. */
  exitCode: number;
  /** What `upload` would make of it; null when it would end with bad output. */
  verdict: 'rebuilt' | 'refused' | null;
  reason: string;
  rebuilt: Buffer | null;
  /** Text of its report; null without one. */
  report: string | null;
  log: string;
  seconds: number;
};

export type EngineImage = {
  run: (input: Uint8Array, options?: { args?: string[]; env?: Record<string, string> }) => Promise<EngineRun>;
  remove: () => Promise<void>;
};

const manifestSchema = z.tuple([z.object({ Config: z.string(), Layers: z.array(z.string()) })]);
const configSchema = z.object({
  config: z.object({ Entrypoint: z.array(z.string()), Env: z.array(z.string()), User: z.string() }),
});

// Mounts live and die with the namespace. $1 root, $2 in, $3 out, then variables and command.
const SCRIPT = `
set -e
root=$1 in=$2 out=$3; shift 3
mount --bind "$root" "$root"
mount --bind "$in" "$root/pristine/in"
mount -o remount,bind,ro "$root/pristine/in"
mount --bind "$out" "$root/pristine/out"
mount -t tmpfs -o size=256m,mode=1777 scratch "$root/tmp"
mount -t proc proc "$root/proc"
for device in null zero urandom random; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
mount -o remount,bind,ro "$root"
cd /
exec /usr/bin/env -i "$@"
`;

/** Unpacks an image archive (docker format) to run it. `remove` when done. */
export async function unpackEngine(archive: string): Promise<EngineImage> {
  const folder = await mkdtemp(join(tmpdir(), 'pristine-engine-'));
  await runChecked('tar', ['-xf', archive, '-C', folder]);
  const [{ Config, Layers }] = manifestSchema.parse(
    JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')),
  );
  const { config } = configSchema.parse(JSON.parse(await readFile(join(folder, Config), 'utf8')));
  const root = join(folder, 'root');
  for (const path of ['', 'pristine/in', 'pristine/out', 'proc', 'tmp', 'dev'])
    await mkdir(join(root, path), { recursive: true });
  for (const layer of Layers) await runChecked('tar', ['-xf', join(folder, layer), '-C', root]);
  await chmod(folder, 0o755);

  return {
    run: async (input, { args = [], env = {} } = {}) => {
      const work = await mkdtemp(join(folder, 'run-'));
      await chmod(work, 0o755);
      await mkdir(join(work, 'in'), { mode: 0o755 });
      await mkdir(join(work, 'out'));
      await chmod(join(work, 'out'), 0o777);
      await writeFile(join(work, 'in/file'), input, { mode: 0o444 });
      const began = performance.now();
      const variables = [
        ...config.Env,
        'TMPDIR=/tmp',
        ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      ];
      const ended = spawnSync(
        'unshare',
        [
          ...['--mount', '--net', '--ipc', '--uts', '--pid', '--fork', '--kill-child'],
          ...['bash', '-c', SCRIPT, 'engine', root, join(work, 'in'), join(work, 'out'), ...variables],
          ...['/usr/bin/setpriv', '--no-new-privs', '/usr/sbin/chroot', `--userspec=${config.User}`, root],
          ...[...config.Entrypoint, ...args],
        ],
        { encoding: 'utf8', timeout: 120_000, maxBuffer: 64 << 20 },
      );
      if (ended.error) throw ended.error;
      const seconds = (performance.now() - began) / 1000;
      const changed = Buffer.compare(await readFile(join(work, 'in/file')), input) !== 0;
      if (changed) throw new Error('the engine changed its input');
      const judged = await judge(join(work, 'out'));
      await rm(work, { recursive: true });
      return { exitCode: ended.status ?? 255, ...judged, log: ended.stdout + ended.stderr, seconds };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function judge(out: string): Promise<Pick<EngineRun, 'verdict' | 'reason' | 'rebuilt' | 'report'>> {
  for (const name of await readdir(out)) {
    const info = await lstat(join(out, name));
    if (!info.isFile())
      return { verdict: null, reason: `${name} is no plain file`, rebuilt: null, report: null };
  }
  try {
    const {
      verdict,
      reason = '',
      files,
    } = await openOutput(out, { maxRebuiltBytes: 256 << 20, maxReportBytes: 1 << 20 });
    const contents = new Map<string, Buffer>();
    for (const { name, handle } of files) {
      contents.set(name, await handle.readFile());
      await handle.close();
    }
    const report = contents.get('report.xml') ?? contents.get('report.json');
    return { verdict, reason, rebuilt: contents.get('rebuilt') ?? null, report: report?.toString() ?? null };
  } catch (error) {
    if (error instanceof Stop) return { verdict: null, reason: error.message, rebuilt: null, report: null };
    throw error;
  }
}
