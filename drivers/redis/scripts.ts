/**
 * The Lua scripts beside this file, as commands of one connection. A file's name ends in how many keys it
 * takes; its head documents keys, arguments, answer and errors. ioredis sends EVALSHA, and the text once.
 */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import type { RedisConnection } from './cluster.ts';
import { lastTrouble } from './connection-trouble.ts';
import { fromRedis, unreadableAnswer } from './redis-error.ts';

const SCRIPTS = {
  lookup: 3,
  recall: 4,
  claim: 4,
  add: 7,
  forget: 5,
  inspect: 3,
  'fill-filter': 3,
  'build-begin': 4,
  'build-page': 4,
  'build-swap': 7,
  'build-drop': 4,
  'acquire-lock': 1,
  'release-lock': 1,
} as const;
export type ScriptName = keyof typeof SCRIPTS;

/** What one call of a script gives and takes; `place` is what an error's message points to. */
export type ScriptCall<Answer> = {
  keys: readonly string[];
  args: readonly (string | number | Buffer)[];
  place: string;
  answer: z.ZodType<Answer>;
  /** Its answer holds bytes that are no text: they come as Buffers. */
  binary?: boolean;
};
export type RunScript = <Answer>(script: ScriptName, call: ScriptCall<Answer>) => Promise<Answer>;

type CustomCommand = (...args: (string | number | Buffer)[]) => Promise<unknown>;

/** Loads the scripts into this connection; loading twice is harmless. */
export function loadScripts(redis: RedisConnection): RunScript {
  for (const [name, keys] of Object.entries(SCRIPTS)) {
    const lua = readFileSync(new URL(`./scripts/${name}-${keys}.lua`, import.meta.url), 'utf8');
    redis.defineCommand(commandName(name), { lua, numberOfKeys: keys });
  }
  return async (script, { keys, args, place, answer, binary = false }) => {
    if (keys.length !== SCRIPTS[script]) throw new TypeError(`${script} takes ${SCRIPTS[script]} keys`);
    // defineCommand adds the methods at run time, which its types can't say.
    const command = Reflect.get(redis, `${commandName(script)}${binary ? 'Buffer' : ''}`) as CustomCommand;
    const given = command.apply(redis, [...keys, ...args]);
    const reply = answer.safeParse(await fromRedis(given, place, () => lastTrouble(redis)));
    if (!reply.success) throw unreadableAnswer(place, reply.error);
    return reply.data;
  };
}

function commandName(script: string): string {
  return `pristine:${script}`;
}
