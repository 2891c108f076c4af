/** kubectl and helm against a cluster, as its administrator; those that the stack built go before others. */
import { delimiter } from 'node:path';
import { type CommandResult, run } from './command.ts';
import type { Layout } from './layout.ts';

export type Where = Pick<Layout, 'bin' | 'kubeconfig'>;
export type ToolOptions = { input?: string | undefined; signal?: AbortSignal | undefined };

/** Without blocking: a proxy of the same process may be what it talks through. */
export function runTool(
  { bin, kubeconfig }: Where,
  program: 'kubectl' | 'helm',
  args: readonly string[],
  { input, signal }: ToolOptions = {},
): Promise<CommandResult> {
  return run(program, args, {
    env: { KUBECONFIG: kubeconfig, PATH: [bin, process.env.PATH].join(delimiter) },
    ...(input === undefined ? {} : { input }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** What it printed. Throws with all that it complained about. */
export async function tool(
  where: Where,
  program: 'kubectl' | 'helm',
  args: readonly string[],
  options: ToolOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await runTool(where, program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.slice(0, 3).join(' ')} …: ${stderr || stdout}`);
  return stdout;
}
