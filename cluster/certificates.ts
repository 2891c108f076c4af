import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, runChecked } from './command.ts';
import type { ClientTls } from './health.ts';

const validDays = 365;
const renewWithinSeconds = 30 * 24 * 3600;

/** Who a certificate is for. Kubernetes takes the common name as the user and the organisation as the group. */
export type Subject = {
  readonly file: string;
  readonly commonName: string;
  readonly organisation?: string;
  /** Set for a server: `DNS:localhost`, `IP:127.0.0.1`, … */
  readonly alternativeNames?: readonly string[];
};

/** The files of a certificate and its key. */
export type CertificateFiles = { readonly cert: string; readonly key: string };

/** Where the certificate called `file` lies, whether it exists or not. */
export function certificateFiles(folder: string, file: string): CertificateFiles {
  return { cert: join(folder, `${file}.crt`), key: join(folder, `${file}.key`) };
}

/** The files for a client that shows the certificate called `file` and trusts `authority`. */
export function clientTls(folder: string, authority: string, file: string): Required<ClientTls> {
  return { ca: certificateFiles(folder, authority).cert, ...certificateFiles(folder, file) };
}

/** Makes a certificate authority unless a good one is there. True when it is new: all it signed is then void. */
export async function ensureAuthority(folder: string, authority: string): Promise<boolean> {
  if (await stillGood(certificateFiles(folder, authority).cert)) return false;
  await makeWhole(folder, authority, (files) =>
    sign(files, `/CN=pristine-${authority}`, 10 * validDays, [
      'basicConstraints=critical,CA:TRUE',
      'keyUsage=critical,keyCertSign,cRLSign',
      'subjectKeyIdentifier=hash',
    ]),
  );
  return true;
}

/** Makes a certificate signed by `authority` unless a good one for the same names is there. */
export async function ensureCertificate(folder: string, authority: string, subject: Subject): Promise<void> {
  const wanted = join(folder, `${subject.file}.subject`);
  const description = JSON.stringify([
    subject,
    readFileSync(certificateFiles(folder, authority).cert, 'utf8'),
  ]);
  const made = existsSync(wanted) && readFileSync(wanted, 'utf8') === description;
  if (made && (await stillGood(certificateFiles(folder, subject.file).cert))) return;
  const signer = certificateFiles(folder, authority);
  const names = subject.alternativeNames;
  const organisation = subject.organisation === undefined ? '' : `/O=${subject.organisation}`;
  const extensions = [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature',
    `extendedKeyUsage=clientAuth${names === undefined ? '' : ',serverAuth'}`,
    'subjectKeyIdentifier=hash',
    'authorityKeyIdentifier=keyid',
    ...(names === undefined ? [] : [`subjectAltName=${names.join(',')}`]),
  ];
  await makeWhole(folder, subject.file, (files) =>
    sign(files, `${organisation}/CN=${subject.commonName}`, validDays, extensions, signer),
  );
  writeFileSync(wanted, description, { mode: 0o600 });
}

/** Makes a key pair (for signing tokens) unless it is there: `<file>.key` and `<file>.pub`. */
export async function ensureKeyPair(folder: string, file: string): Promise<{ key: string; pub: string }> {
  const files = { key: join(folder, `${file}.key`), pub: join(folder, `${file}.pub`) };
  if (existsSync(files.key) && existsSync(files.pub)) return files;
  const temporary = `${files.key}.tmp`;
  await runChecked('openssl', [
    'genpkey',
    '-algorithm',
    'RSA',
    '-pkeyopt',
    'rsa_keygen_bits:2048',
    '-out',
    temporary,
  ]);
  await runChecked('openssl', ['pkey', '-in', temporary, '-pubout', '-out', files.pub]);
  renameSync(temporary, files.key);
  return files;
}

async function stillGood(cert: string): Promise<boolean> {
  if (!existsSync(cert)) return false;
  const { code } = await run('openssl', [
    'x509',
    '-in',
    cert,
    '-noout',
    '-checkend',
    String(renewWithinSeconds),
  ]);
  return code === 0;
}

/** Makes a key and a certificate for it, signed by `signer` or by itself. */
async function sign(
  files: CertificateFiles,
  subject: string,
  days: number,
  extensions: readonly string[],
  signer?: CertificateFiles,
): Promise<void> {
  // The machine's own openssl.cnf may add extensions of its own, and an extension must not stand there twice.
  const config = `${files.cert}.cnf`;
  writeFileSync(config, '[req]\ndistinguished_name=dn\n[dn]\n');
  await runChecked('openssl', [
    ...['req', '-x509', '-config', config, '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'],
    ...['-days', String(days), '-subj', subject],
    ...(signer === undefined ? [] : ['-CA', signer.cert, '-CAkey', signer.key]),
    ...extensions.flatMap((extension) => ['-addext', extension]),
    ...['-keyout', files.key, '-out', files.cert],
  ]);
}

/** The certificate is moved into its place last: where it is, the key is too. */
async function makeWhole(
  folder: string,
  file: string,
  make: (files: CertificateFiles) => Promise<unknown>,
): Promise<void> {
  const temporary = mkdtempSync(join(folder, 'new-'));
  try {
    await make(certificateFiles(temporary, file));
    renameSync(certificateFiles(temporary, file).key, certificateFiles(folder, file).key);
    renameSync(certificateFiles(temporary, file).cert, certificateFiles(folder, file).cert);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
