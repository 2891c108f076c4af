/** `node helm/efk/dashboards/write.ts`: writes the file that the chart ships. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { savedObjects } from './boards.ts';

writeFileSync(join(import.meta.dirname, '../files/saved-objects.ndjson'), savedObjects());
