import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { certificateFiles, ensureAuthority, ensureCertificate } from '../../../cluster/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
afterAll(() => rmSync(folder, { recursive: true }));

function read(file: string): X509Certificate {
  return new X509Certificate(readFileSync(certificateFiles(folder, file).cert));
}

describe('certificates', () => {
  const subject = { file: 'kubelet', commonName: 'system:node:one', organisation: 'system:nodes' };

  test('are signed for their names, and made again only when something about them changed', async () => {
    expect(await ensureAuthority(folder, 'ca')).toBe(true);
    await ensureCertificate(folder, 'ca', { ...subject, alternativeNames: ['DNS:one', 'IP:198.19.255.1'] });
    const first = read('kubelet');
    expect(first.subject).toBe('O=system:nodes\nCN=system:node:one');
    expect(first.checkIP('198.19.255.1')).toBe('198.19.255.1');
    expect(first.ca).toBe(false);
    expect(first.verify(read('ca').publicKey)).toBe(true);

    expect(await ensureAuthority(folder, 'ca')).toBe(false);
    await ensureCertificate(folder, 'ca', { ...subject, alternativeNames: ['DNS:one', 'IP:198.19.255.1'] });
    expect(read('kubelet').serialNumber).toBe(first.serialNumber);

    await ensureCertificate(folder, 'ca', { ...subject, alternativeNames: ['DNS:one', 'IP:198.19.255.2'] });
    expect(read('kubelet').checkIP('198.19.255.2')).toBe('198.19.255.2');
  });

  test('of a client serve nobody', async () => {
    await ensureAuthority(folder, 'ca');
    await ensureCertificate(folder, 'ca', { file: 'worker', commonName: 'pristine-worker' });
    expect(read('worker').keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  });
});
