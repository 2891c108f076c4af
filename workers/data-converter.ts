import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import type { KeyRing } from '../drivers/key-ring.ts';
import { createPayloadCodec } from './payload-codec.ts';

const FAILURE_CONVERTER = fileURLToPath(new URL('./failure-converter.cjs', import.meta.url));

/** As much of a WorkerConfig as it takes. */
type CodedConfig = { codec: { keys: KeyRing | undefined }; temporal: { namespace: string } };

/**
 * For every Client and Worker, to be spread into its options: all of an installation must have the same. Nothing
 * where no keys are set.
 */
export function dataConverterOf({ codec, temporal }: CodedConfig): { dataConverter?: DataConverter } {
  if (codec.keys === undefined) return {};
  return {
    dataConverter: {
      payloadCodecs: [createPayloadCodec({ keys: codec.keys, namespace: temporal.namespace })],
      failureConverterPath: FAILURE_CONVERTER,
    },
  };
}
