import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { TestRedis } from './redis-connection.ts';
import { stackVariable } from './stack.ts';

/**
 * How many commands that name the test's prefix Redis was sent while `act` ran; a script counts as one.
 * Spoken by hand: ioredis ends the process when another client's command comes in one piece with the answer
 * to MONITOR.
 */
export async function countCommands(
  { redis, prefix }: TestRedis,
  act: () => Promise<unknown>,
): Promise<number> {
  const { hostname, port, username, password } = new URL(stackVariable('REDIS_URL'));
  const socket = connect(Number(port || 6379), hostname);
  try {
    const lines = createInterface({ input: socket });
    const mark = randomUUID();
    const monitoring = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    let [accepted, count] = [0, 0];
    lines.on('line', (line) => {
      if (line.startsWith('-')) monitoring.reject(new Error(line));
      if (line === '+OK' && ++accepted === (password === '' ? 1 : 2)) monitoring.resolve();
      if (line.includes(prefix) && !line.includes(' lua] ')) count++;
      if (line.includes(mark)) ended.resolve();
    });
    await once(socket, 'connect');
    if (password !== '') socket.write(`AUTH ${username || 'default'} ${decodeURIComponent(password)}\r\n`);
    socket.write('MONITOR\r\n');
    await monitoring.promise;
    await act();
    await redis.echo(mark);
    await ended.promise;
    return count;
  } finally {
    socket.destroy();
  }
}
