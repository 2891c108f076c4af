/** What the workers' bundle exports: the workflow types, by name. */
export { rebuildFile } from './rebuild-file.ts';
export { scan } from './scan.ts';
