/** What the workers' bundle exports: the workflow types, by name. */
export { rebuildFile } from './rebuild-file.ts';
export { retryQuarantined } from './retry-quarantined.ts';
export { scan } from './scan.ts';
