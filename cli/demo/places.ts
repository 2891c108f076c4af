import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { OperatorError } from '../../cluster/operator-error.ts';

export type Places = {
  /** URLs for the scan. */
  source: string;
  destination: string;
  /** The folder to fill with demo documents; undefined when the caller gave a source of their own. */
  documents: string | undefined;
};

/**
 * Where the demo reads and writes: `SOURCE` and `DESTINATION`, each a URL or a path relative to `folder`, else
 * folders below `state`. A source must be there; a destination is made by the scan.
 */
export function demoPlaces(
  env: { SOURCE?: string | undefined; DESTINATION?: string | undefined },
  folder: string,
  state: string,
): Places {
  const documents = env.SOURCE ? undefined : resolve(state, 'demo/source');
  return {
    source: toUrl(env.SOURCE || (documents ?? ''), folder, 'SOURCE', documents === undefined),
    destination: toUrl(env.DESTINATION || resolve(state, 'demo/clean'), folder, 'DESTINATION', false),
    documents,
  };
}

function toUrl(given: string, folder: string, name: string, mustExist: boolean): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//.test(given)) return given;
  const path = resolve(folder, given);
  if (mustExist && !existsSync(path)) throw new OperatorError(`${name}=${given}: there is no ${path}.`);
  if (existsSync(path) && !statSync(path).isDirectory()) {
    throw new OperatorError(`${name}=${given}: ${path} is not a folder.`);
  }
  return pathToFileURL(path).href;
}
