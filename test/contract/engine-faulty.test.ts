import { join } from 'node:path';
import { ensureImages } from '../../cluster/build-images.ts';
import { layoutOf } from '../../cluster/layout.ts';
import { describeEngine } from './describe-engine.ts';

const { cache, state } = layoutOf(join(import.meta.dirname, '../..'), process.env);

describeEngine('faulty, when it behaves', {
  archive: async () => {
    const options = { cacheDir: cache, stateDir: state, only: ['engine-faulty'], progress: () => undefined };
    return (await ensureImages(options))['engine-faulty']?.archive ?? '';
  },
  good: Buffer.from('anything'),
});
