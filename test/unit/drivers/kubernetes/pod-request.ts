import { podName } from '../../../../drivers/kubernetes/pod-name.ts';
import type { FilePodRequest } from '../../../../drivers/ports.ts';
import { SHA256 } from './pod-json.ts';

/** A request for a pod; the content is `hello` and a line feed. */
export function filePodRequest(more: Partial<FilePodRequest> = {}): FilePodRequest {
  return {
    name: podName(SHA256, '0123abcd', 1),
    scanId: 'scan-finance',
    workflowId: 'file-1',
    runId: 'run-1',
    sha256: SHA256,
    size: 6,
    attempt: 1,
    slot: 'a1-nonce',
    profile: { name: 'default', fingerprint: '0123abcd' },
    tier: 0,
    getUrl: 'http://files/get?sig=1',
    putUrls: {
      rebuilt: 'http://files/put/rebuilt?sig=2',
      'report.xml': 'http://files/put/report.xml?sig=3',
      'report.json': 'http://files/put/report.json?sig=4',
    },
    ...more,
  };
}
