import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig, type WorkerConfig } from '../workers/config.ts';
import { parseEnvFile } from './env-file.ts';

const localState = join(import.meta.dirname, '../.pristine');

/**
 * The workers' configuration. In a copy of the repository where `make up` has run, its variables count where
 * `env` has none, so that `pristine` works there from any shell. Throws what readConfig throws.
 */
export function readSettings(env: NodeJS.ProcessEnv, state: string = localState): WorkerConfig {
  return readConfig(withLocalStack(env, state));
}

/** The environment, with what `make up` has written behind it. */
export function withLocalStack(env: NodeJS.ProcessEnv, state: string = localState): NodeJS.ProcessEnv {
  return { ...variablesIn(join(state, 'env')), ...variablesIn(join(state, 'worker.env')), ...env };
}

function variablesIn(file: string): NodeJS.Dict<string> {
  try {
    return parseEnvFile(readFileSync(file, 'utf8'));
  } catch (error) {
    // Somebody else's state, or none: then this process's environment is all there is.
    if (['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return {};
    throw error;
  }
}
