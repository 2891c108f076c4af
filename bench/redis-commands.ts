/**
 * What a Redis is asked, command by command, by its own MONITOR. A script counts as one: what it does inside is no
 * round trip. Spoken by hand: ioredis ends the process when another client's command comes in one piece with the
 * answer to MONITOR.
 */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type CommandWatch = {
  /** Commands since the last call, `<name>` to how many. Only what Redis has taken by now. */
  take(): Promise<Map<string, number>>;
  close(): void;
};

/** Line of MONITOR: `1700000000.123456 [0 127.0.0.1:50000] "EVALSHA" "<sha1>" …`; inside a script `[0 lua]`. */
const MONITORED = /^\+?\d+\.\d+ \[\d+ (?<from>\S+)\] "(?<command>[^"]+)"(?: "(?<first>[^"]*)")?/;
const CONNECTING = new Set(['auth', 'hello', 'client', 'select', 'readonly', 'info', 'command', 'echo']);

/**
 * The command that a client sent, in small letters, a script by its name where `scripts` knows its sha1. null for
 * what a script did, for the talk of a connection that is being made, and for what is no such line.
 */
export function monitoredCommand(line: string, scripts: ReadonlyMap<string, string>): string | null {
  const { from, command, first = '' } = MONITORED.exec(line)?.groups ?? {};
  if (from === undefined || command === undefined || from === 'lua') return null;
  const name = command.toLowerCase();
  if (CONNECTING.has(name)) return null;
  if (name === 'evalsha') return scripts.get(first) ?? name;
  // The text itself: sent once a connection, when Redis does not have the script yet.
  if (name === 'eval') return 'eval';
  return name;
}

/** sha1 to name of the Lua scripts in a folder. */
export function scriptNames(folder: string): Map<string, string> {
  return new Map(
    readdirSync(folder)
      .filter((file) => file.endsWith('.lua'))
      .map((file) => {
        const sha1 = createHash('sha1')
          .update(readFileSync(join(folder, file)))
          .digest('hex');
        return [sha1, file.replace(/-\d+\.lua$/, '')];
      }),
  );
}

/** Of a Redis that nobody asks but who is to be counted. A password stands in its URL. */
export async function watchCommands(
  url: string,
  scripts: ReadonlyMap<string, string>,
): Promise<CommandWatch> {
  const { hostname, port, password } = new URL(url);
  const login = password === '' ? '' : `AUTH ${password}\r\n`;
  const monitor = connect(Number(port), hostname);
  const marker = connect(Number(port), hostname);
  // Their ends are seen as answers that do not come.
  for (const socket of [monitor, marker]) socket.on('error', () => {});
  let counts = new Map<string, number>();
  let awaited: { mark: string; seen: () => void; lost: (error: Error) => void } | undefined;
  const monitoring = Promise.withResolvers<void>();
  const lines = createInterface({ input: monitor });
  // AUTH has an answer like MONITOR's.
  let answers = login === '' ? 1 : 2;
  lines.on('line', (line) => {
    if (line === '+OK' && --answers === 0) monitoring.resolve();
    if (line.startsWith('-')) monitoring.reject(new Error(line));
    if (awaited !== undefined && line.includes(awaited.mark)) awaited.seen();
    const command = monitoredCommand(line, scripts);
    if (command !== null) counts.set(command, (counts.get(command) ?? 0) + 1);
  });
  lines.on('close', () => {
    const lost = new Error(`Redis at ${hostname}:${port} ended the connection.`);
    monitoring.reject(lost);
    awaited?.lost(lost);
  });
  await Promise.all([once(monitor, 'connect'), once(marker, 'connect')]);
  monitor.write(`${login}MONITOR\r\n`);
  marker.write(login);
  await monitoring.promise;
  return {
    take: async () => {
      const mark = randomUUID();
      const seen = Promise.withResolvers<void>();
      awaited = { mark, seen: seen.resolve, lost: seen.reject };
      marker.write(`ECHO ${mark}\r\n`);
      await seen.promise;
      const taken = counts;
      counts = new Map();
      return taken;
    },
    close: () => {
      monitor.destroy();
      marker.destroy();
    },
  };
}
