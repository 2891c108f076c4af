/** What `make up` started, for tests: from the environment, else from `.pristine/env`. */
import { readFileSync } from 'node:fs';
import { readEnvFile } from '../../cli/env-file.ts';

const root = new URL('../../', import.meta.url).pathname;

/** Fails where it is not set: a test that needs a server is not skipped. */
export function stackVariable(name: string): string {
  const value = process.env[name] ?? readEnvFile(`${root}.pristine/env`)[name];
  if (!value) throw new Error(`Neither ${name} nor .pristine/env is there: run \`make up\` first`);
  return value;
}

/** The reference of one of the images that `make up` built and loaded. */
export function builtImage(name: 'pod' | 'engineMat2' | 'engineFaulty' | 'worker' | 'redis'): string {
  const images: Record<string, string> = JSON.parse(readFileSync(`${root}.pristine/images.json`, 'utf8'));
  const image = images[name];
  if (!image) throw new Error(`.pristine/images.json has no ${name}: run \`make up\` first`);
  return image;
}
