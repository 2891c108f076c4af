#!/usr/bin/env node
/** `pristine`: thin verbs over Temporal, the index, the locks and a destination. Reads the workers' environment. */
import { Command } from 'commander';
import { openDestination } from '../drivers/destination/open-destination.ts';
import { loadKubeConfig } from '../drivers/kubernetes/load-kube-config.ts';
import { profileFingerprint } from '../drivers/profile.ts';
import { createS3Client } from '../drivers/s3/client.ts';
import { readDeploymentSettings } from '../workers/deployment-settings.ts';
import { openIndex } from '../workers/open-index.ts';
import { readTemporalSettings } from '../workers/temporal-config.ts';
import { abandonedFiles } from './abandoned-files.ts';
import { examine } from './doctor/examine.ts';
import { addDoctorCommand } from './doctor-command.ts';
import { earlyEnd } from './early-end.ts';
import { foreignEntries } from './foreign-entries.ts';
import { addIndexCommands } from './index-commands.ts';
import { addLockCommands } from './lock-commands.ts';
import { makeCurrent } from './make-current.ts';
import { addMakeCurrentCommand } from './make-current-command.ts';
import { printableText } from './printable.ts';
import { addQuarantineCommands } from './quarantine-commands.ts';
import { connectScanClient } from './scan-client.ts';
import { addScanCommands } from './scan-commands.ts';
import { addSearchAttributesCommand } from './search-attributes-command.ts';
import { setUpSearchAttributes } from './set-up-search-attributes.ts';
import { readSettings, withLocalStack } from './settings.ts';
import { addSweepCommand, longestLinkMinutes } from './sweep-command.ts';
import { unsignedLinks } from './unsigned-links.ts';
import { addVerifyCommand } from './verify-command.ts';

/** What was opened on the way and must be closed for the process to end. */
const closing: (() => Promise<void> | void)[] = [];
const { untilStopped } = earlyEnd(process);
const out = (line: string) => process.stdout.write(`${line}\n`);
let connected: ReturnType<typeof connectScanClient> | undefined;
const log = { debug() {}, info() {}, warn: complain, error: complain };

const program = new Command('pristine').description(
  'Content disarm and reconstruction for whole folders and buckets. Settings come from the same environment ' +
    "variables as the workers'.",
);
addScanCommands(program, { out, now, scans, fail });
addVerifyCommand(program, { out, destination, foreignEntries, fail });
addQuarantineCommands(program, {
  out,
  now,
  destination,
  fail,
  fingerprintOf: (name) => {
    const profile = readSettings(process.env).profiles[name];
    return profile && profileFingerprint(profile);
  },
  startRetry: async (start) => (await scans()).startRetry(start),
  hasWorker: async () => (await scans()).hasWorker(readSettings(process.env).temporal.taskQueue),
});
addSweepCommand(program, {
  out,
  now,
  destination,
  fail,
  lifeOf: async (scan) => (await scans()).lifeOf(scan),
  abandonedFiles: (url, dryRun) => abandonedFiles(url, readSettings(process.env).files.roots, dryRun),
  linkMinutes: () => longestLinkMinutes(Object.values(readSettings(process.env).profiles)),
});
addLockCommands(program, {
  out,
  locks: async () => opened().locks,
});
addIndexCommands(program, {
  out,
  destination,
  index: async () => opened(),
});
addSearchAttributesCommand(program, {
  out,
  setUp: async () => setUpSearchAttributes(readTemporalSettings(withLocalStack(process.env)), log),
});
addMakeCurrentCommand(program, {
  out,
  makeCurrent: (waitMs) => makeCurrent(readDeploymentSettings(withLocalStack(process.env)), waitMs),
});
addDoctorCommand(program, {
  out,
  fail,
  examine: (order) => {
    const { kubernetes, profiles, singleWriter } = readSettings(process.env);
    const kubeConfig = () => loadKubeConfig(kubernetes.kubeconfig);
    const patient = { kubeConfig, settings: kubernetes, profiles, destination, singleWriter };
    return examine(patient, order, untilStopped());
  },
});

try {
  await program.parseAsync();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`pristine: ${message.split('\n').map(printableText).join('\n')}\n`);
  fail();
} finally {
  for (const close of closing.reverse()) await close();
}

function now(): Date {
  return new Date();
}

/** Why it was ended early says more. */
function fail(): void {
  process.exitCode ??= 1;
}

/** One connection for all that a verb asks. */
function scans(): ReturnType<typeof connectScanClient> {
  connected ??= connectScanClient(readSettings(process.env)).then((client) => {
    closing.push(client.close);
    return client;
  });
  return connected;
}

function destination(url: string) {
  const settings = readSettings(process.env);
  const s3 = createS3Client(settings.s3);
  closing.push(() => s3.destroy());
  // Whoever sits at the command line names a folder themselves: the workers' roots are not theirs. But where one is, files
  // are first written below it: a volume of its own, and perhaps the only place that can be written.
  return openDestination(url, {
    roots: ['/', ...settings.files.roots],
    signer: unsignedLinks,
    s3,
    singleWriter: settings.singleWriter,
  });
}

function opened() {
  const open = openIndex(readSettings(process.env), log);
  closing.push(open.close);
  return open;
}

function complain(_: unknown, message: string): void {
  process.stderr.write(`${message}\n`);
}
