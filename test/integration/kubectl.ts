/** kubectl and helm against the stack's cluster, as its administrator. */
import { join } from 'node:path';
import * as tools from '../../cluster/cluster-tools.ts';
import type { CommandResult } from '../../cluster/command.ts';
import { stackVariable } from '../contract/stack.ts';

const bin = join(import.meta.dirname, '../../.pristine/bin');
const where = () => ({ bin, kubeconfig: stackVariable('KUBECONFIG') });

export function runTool(
  program: 'kubectl' | 'helm',
  args: readonly string[],
  input?: string,
): Promise<CommandResult> {
  return tools.runTool(where(), program, args, { input });
}

/** What it printed. Throws with what it complained about. */
export function tool(program: 'kubectl' | 'helm', args: readonly string[], input?: string): Promise<string> {
  return tools.tool(where(), program, args, { input });
}
