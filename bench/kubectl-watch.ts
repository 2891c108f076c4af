import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { podOutcome } from '../drivers/kubernetes/pod-outcome.ts';
import { slimPod } from '../drivers/kubernetes/slim-pod.ts';

export type KubectlWatch = {
  /** `performance.now()` when kubectl had printed that the pod has ended. Rejects when kubectl has ended before. */
  ended(name: string): Promise<number>;
  stop(): Promise<void>;
};

/** `kubectl get pods -w -o json` of the pods that `selector` picks, and when it first shows each one's end. */
export function kubectlWatch(kubectl: string, namespace: string, selector: string): KubectlWatch {
  const seen = new Map<string, PromiseWithResolvers<number>>();
  const of = (name: string) => {
    const found = seen.get(name) ?? Promise.withResolvers<number>();
    seen.set(name, found);
    return found;
  };
  const child = spawn(kubectl, ['get', 'pods', '-n', namespace, '-l', selector, '-w', '-o', 'json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit').then(() => {
    for (const { promise, reject } of seen.values()) {
      // Whoever has not asked for it must not end the process with it.
      promise.catch(() => undefined);
      reject(new Error('kubectl has ended while it watched.'));
    }
  });

  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const at = performance.now();
    text += chunk;
    // Each object is indented; only its own braces stand at the start of a line.
    for (let end = text.indexOf('\n}\n'); end >= 0; end = text.indexOf('\n}\n')) {
      const pod = slimPod(JSON.parse(text.slice(0, end + 2)));
      text = text.slice(end + 3);
      if (pod && podOutcome(pod)) of(pod.name).resolve(at);
    }
  });

  return {
    ended: (name) => of(name).promise,
    async stop() {
      child.kill();
      await exited;
    },
  };
}
