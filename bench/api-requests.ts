/** Requests to the Kubernetes API as the API server's audit log has them. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const eventSchema = z.object({
  stage: z.string(),
  verb: z.string(),
  requestURI: z.string(),
  user: z.object({ username: z.string() }),
  objectRef: z
    .object({ resource: z.string(), subresource: z.string().optional(), name: z.string().optional() })
    .optional(),
});

/** `resource` with its subresource, as in `pods/log`. */
export type ApiRequest = { user: string; verb: string; resource: string; name?: string; uri: string };

/** Where the audit log ends now, to count from later; null when there is none. */
export async function auditMark(file: string): Promise<number | null> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Each request since `mark` once: when it was complete, or, as that of a watch is hours later, when it began. */
export async function* requestsSince(file: string, mark: number): AsyncGenerator<ApiRequest> {
  for await (const line of createInterface({ input: createReadStream(file, { start: mark }) })) {
    if (line === '') continue;
    const { stage, verb, requestURI: uri, user, objectRef } = eventSchema.parse(JSON.parse(line));
    if (stage !== (verb === 'watch' ? 'ResponseStarted' : 'ResponseComplete')) continue;
    const { resource = '-', subresource, name } = objectRef ?? {};
    const whole = subresource === undefined ? resource : `${resource}/${subresource}`;
    yield { user: user.username, verb, resource: whole, ...(name && { name }), uri };
  }
}

/** `<verb> <resource>` to how many, of these users. */
export function countRequests(
  requests: readonly ApiRequest[],
  isUser: (user: string) => boolean,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { user, verb, resource } of requests) {
    const what = `${verb} ${resource}`;
    if (isUser(user)) counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return counts;
}

/** The worker's own requests: for its files, to read logs, to see what it may, and what fits none of these. */
export type OwnRequests = Record<'files' | 'logs' | 'access' | 'other', Map<string, number>>;

/**
 * Which requests are of a scan. Its pods are known by their names, its list and watch by the instance in their
 * selector, the rest by who asks: whoever made these pods. Others of that user with other pods are not counted.
 */
export function ownRequests(
  requests: readonly ApiRequest[],
  scan: { pods: ReadonlySet<string>; instance: string },
): OwnRequests {
  const ofPod = ({ name }: ApiRequest) => name !== undefined && scan.pods.has(name);
  const user = requests.find((one) => one.verb === 'create' && one.resource === 'pods' && ofPod(one))?.user;
  const own: OwnRequests = { files: new Map(), logs: new Map(), access: new Map(), other: new Map() };
  for (const request of requests.filter((one) => one.user === user)) {
    const kind = kindOf(request, ofPod(request), scan.instance);
    if (kind === null) continue;
    const what = `${request.verb} ${request.resource}`;
    own[kind].set(what, (own[kind].get(what) ?? 0) + 1);
  }
  return own;
}

function kindOf(
  { resource, name, uri }: ApiRequest,
  ofPod: boolean,
  instance: string,
): keyof OwnRequests | null {
  if (resource === 'selfsubjectaccessreviews' || resource === 'namespaces') return 'access';
  if (resource === 'pods/log') return ofPod ? 'logs' : null;
  if (resource !== 'pods') return 'other';
  if (name !== undefined) return ofPod ? 'files' : null;
  return uri.includes(instance) ? 'files' : null;
}

export function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, number) => total + number, 0);
}
