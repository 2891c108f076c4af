/** The part of the environment that says where Temporal is. */
import { z } from 'zod';
import { ConfigError, parseVariables, setVariables, text } from './variables.ts';

export const temporalVariables = {
  TEMPORAL_ADDRESS: text,
  TEMPORAL_NAMESPACE: text.default('default'),
  TEMPORAL_API_KEY: text.optional(),
  TEMPORAL_TLS_CA_FILE: text.optional(),
  TEMPORAL_TLS_CERT_FILE: text.optional(),
  TEMPORAL_TLS_KEY_FILE: text.optional(),
};
/** Of scans; steps of files and pods have queues whose names are made of it. */
export const taskQueueVariable = { PRISTINE_TASK_QUEUE: text.default('pristine') };
const temporalSchema = z.object(temporalVariables);

export type TemporalSettings = ReturnType<typeof temporalSettings>;

export function temporalSettings(env: z.infer<typeof temporalSchema>) {
  const tls = {
    caFile: env.TEMPORAL_TLS_CA_FILE,
    certFile: env.TEMPORAL_TLS_CERT_FILE,
    keyFile: env.TEMPORAL_TLS_KEY_FILE,
  };
  return {
    address: env.TEMPORAL_ADDRESS,
    namespace: env.TEMPORAL_NAMESPACE,
    apiKey: env.TEMPORAL_API_KEY,
    tls: Object.values(tls).some((file) => file !== undefined) ? tls : undefined,
  };
}

/** For what needs nothing else. Throws ConfigError with all problems at once. */
export function readTemporalSettings(env: NodeJS.ProcessEnv): TemporalSettings {
  const { data, problems } = parseVariables(temporalSchema, setVariables(env));
  if (data !== undefined) return temporalSettings(data);
  throw new ConfigError(`Temporal can't be reached with this configuration:\n  ${problems.join('\n  ')}`);
}
