/**
 * The environment of `fetch` and `upload`, checked. By hand and not with zod: these programs start once per file,
 * and parsing a schema library costs more than all else they do before their first byte.
 */
import { EXIT, FETCH_ENV, UPLOAD_ENV } from './protocol.ts';
import { Stop } from './stop.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type FetchOrder = { url: URL; sha256: string; size: number };

export type UploadOrder = {
  urls: { rebuilt: URL; 'report.xml': URL; 'report.json': URL };
  maxRebuiltBytes: number;
  maxReportBytes: number;
};

/** Throws Stop(EXIT.usage) that names every variable that is wrong; values are never repeated. */
export function fetchOrder(env: Environment): FetchOrder {
  const check = new Check(env);
  const order = {
    url: check.url(FETCH_ENV.url),
    sha256: check.sha256(FETCH_ENV.sha256),
    size: check.bytes(FETCH_ENV.size),
  };
  check.done();
  return order;
}

/** Throws Stop(EXIT.usage) that names every variable that is wrong; values are never repeated. */
export function uploadOrder(env: Environment): UploadOrder {
  const check = new Check(env);
  const order = {
    urls: {
      rebuilt: check.url(UPLOAD_ENV.rebuilt),
      'report.xml': check.url(UPLOAD_ENV.reportXml),
      'report.json': check.url(UPLOAD_ENV.reportJson),
    },
    maxRebuiltBytes: check.bytes(UPLOAD_ENV.maxRebuiltBytes),
    maxReportBytes: check.bytes(UPLOAD_ENV.maxReportBytes),
  };
  check.done();
  return order;
}

/** Collects all problems, so that one look at a failed pod is enough. */
class Check {
  private readonly env: Environment;
  private readonly problems: string[] = [];

  constructor(env: Environment) {
    this.env = env;
  }

  url(name: string): URL {
    const value = this.env[name] ?? '';
    const url = URL.canParse(value) ? new URL(value) : null;
    if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
    this.problems.push(`${name} must be an http or https URL`);
    return new URL('http://invalid.invalid');
  }

  sha256(name: string): string {
    const value = this.env[name] ?? '';
    if (!/^[0-9a-f]{64}$/.test(value)) this.problems.push(`${name} must be 64 lower-case hex digits`);
    return value;
  }

  bytes(name: string): number {
    const value = this.env[name] ?? '';
    const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
    if (!Number.isSafeInteger(number)) this.problems.push(`${name} must be a whole number of bytes`);
    return number;
  }

  done(): void {
    if (this.problems.length > 0)
      throw new Stop(EXIT.usage, `Wrong environment: ${this.problems.join('; ')}.`);
  }
}
