import { spawn } from 'node:child_process';
import { OperatorError } from './operator-error.ts';

/** What a command printed and how it ended: `code` is its exit code, or 128 when a signal ended it. */
export type CommandResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

export type CommandOptions = {
  readonly cwd?: string;
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to the command's standard input. */
  readonly input?: string;
  /** Each line of either stream as it comes. */
  readonly onLine?: (line: string) => void;
  /** Ends the command with SIGTERM; it is still waited for. */
  readonly signal?: AbortSignal;
};

/** Runs a command to its end, without a shell. Rejects only when it cannot be started. */
export function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const stdout = collect(child.stdout, options.onLine);
    const stderr = collect(child.stderr, options.onLine);
    child.on('error', (cause: NodeJS.ErrnoException) => {
      const missing = cause.code === 'ENOENT';
      reject(
        missing
          ? new OperatorError(`The program ${command} is missing: install it and put it on the PATH.`)
          : cause,
      );
    });
    const end = () => child.kill();
    options.signal?.addEventListener('abort', end, { once: true });
    if (options.signal?.aborted) end();
    child.on('close', (code) => {
      options.signal?.removeEventListener('abort', end);
      resolve({ code: code ?? 128, stdout: stdout(), stderr: stderr() });
    });
    // A command that ends without reading its input is judged by its exit code.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

/** Like `run`, but throws an OperatorError with the command's last line of complaint when it fails. Returns stdout. */
export async function runChecked(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await run(command, args, options);
  if (result.code === 0) return result.stdout;
  const complaint = (result.stderr.trim() || result.stdout.trim()).split('\n').at(-1) ?? '';
  throw new OperatorError(
    `${command} ${args.slice(0, 3).join(' ')} failed (exit code ${result.code}): ${complaint}`,
  );
}

function collect(stream: NodeJS.ReadableStream, onLine: CommandOptions['onLine']): () => string {
  let text = '';
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    text += chunk;
    if (onLine === undefined) return;
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  });
  stream.on('end', () => {
    if (onLine !== undefined && rest !== '') onLine(rest);
  });
  return () => text;
}
