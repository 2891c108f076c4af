import { isUtf8 } from 'node:buffer';
import { demoDocuments } from '../../cli/demo/documents.ts';

/** All but the one whose name is no text: that is the drivers' contract tests' to look at, here names are texts. */
export async function putDemoDocuments(
  put: (name: string, body: Uint8Array) => Promise<void>,
): Promise<void> {
  for (const { name, bytes } of demoDocuments()) {
    if (isUtf8(name)) await put(name.toString(), bytes);
  }
}
