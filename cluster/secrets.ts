import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Layout } from './layout.ts';
import { writeWholeFile } from './whole-file.ts';

const secretsSchema = z.object({
  s3AccessKey: z.string().min(16),
  s3SecretKey: z.string().min(32),
  redisPassword: z.string().min(32),
});

/** Keys of the local stack, made once and kept with its data. */
export type Secrets = z.infer<typeof secretsSchema>;

/** Reads the keys, or makes them the first time. */
export function ensureSecrets(layout: Layout): Secrets {
  const file = join(layout.data, 'secrets.json');
  try {
    return secretsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const secrets = {
    s3AccessKey: `PRISTINE${randomBytes(6).toString('hex').toUpperCase()}`,
    s3SecretKey: randomBytes(20).toString('hex'),
    redisPassword: randomBytes(20).toString('hex'),
  };
  writeWholeFile(file, `${JSON.stringify(secrets)}\n`);
  return secrets;
}
