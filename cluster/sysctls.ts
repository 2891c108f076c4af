import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Layout } from './layout.ts';

/** Kernel settings that the CNI plugin and the kubelet change for the whole machine. */
const changedSettings = [
  'net/ipv4/ip_forward',
  'vm/overcommit_memory',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];

const savedSchema = z.record(z.string(), z.string());

/** Notes the settings as they are before the stack first touches them. */
export function saveSysctls(layout: Layout): void {
  const values = Object.fromEntries(changedSettings.map((name) => [name, readSetting(name)]));
  try {
    writeFileSync(savedFile(layout), `${JSON.stringify(values)}\n`, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Sets them back to what was noted. */
export function restoreSysctls(layout: Layout): void {
  const saved = readSaved(layout);
  for (const [name, value] of Object.entries(saved)) {
    if (changedSettings.includes(name) && readSetting(name) !== value)
      writeFileSync(`/proc/sys/${name}`, value);
  }
  rmSync(savedFile(layout), { force: true });
}

function readSaved(layout: Layout): Record<string, string> {
  try {
    return savedSchema.parse(JSON.parse(readFileSync(savedFile(layout), 'utf8')));
  } catch {
    return {};
  }
}

// In the volatile folder: after a reboot the settings are the machine's own again.
function savedFile(layout: Layout): string {
  return join(layout.volatile, 'sysctls.json');
}

function readSetting(name: string): string {
  return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
}
