/** The engine of a played pod: engines/faulty's words for what one process can do without harm to the tests. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type EngineEnding = { code: number; message: string; reason?: string };

const SIGSEGV_EXIT = 139;

/** Reads `<place>/in/file`, leaves what it leaves in `<place>/out`. An input that names no mode is rebuilt. */
export async function playEngine(place: string): Promise<EngineEnding> {
  const input = readFileSync(join(place, 'in/file'));
  const out = (name: string, bytes: string | Uint8Array) => writeFileSync(join(place, 'out', name), bytes);
  const report = (verdict: string) =>
    out('report.json', JSON.stringify({ engine: 'faulty', version: '1', verdict }));
  const rebuild = () => {
    out('rebuilt', Buffer.concat([Buffer.from('rebuilt by faulty\n'), input]));
    report('rebuilt');
    return { code: 0, message: '' };
  };
  const [mode, parameter = ''] = (input.toString('utf8').split('\n', 1)[0] ?? '').split(' ');
  switch (mode) {
    case 'slow':
      await sleep(Number(parameter) * 1000);
      return rebuild();
    case 'refuse':
      out('refused', 'refused on purpose\n');
      report('refused');
      return { code: 0, message: '' };
    case 'refuse-by-exit':
      return { code: 3, message: 'working\nrefused on purpose\n' };
    case 'exit':
      return { code: Number(parameter), message: '' };
    case 'crash':
      return { code: SIGSEGV_EXIT, message: '' };
    case 'memory':
      return { code: 137, message: '', reason: 'OOMKilled' };
    case 'nothing':
      return { code: 0, message: '' };
    default:
      return rebuild();
  }
}
