import { X509Certificate } from 'node:crypto';
import { PluginError } from '../../proto/error.ts';
import { type FileStamp, readTextFile } from './read-file.ts';

const maxCaFileBytes = 1024 * 1024;

/**
 * Reads a file of CA certificates in PEM. Checked here, because TLS takes a file without a certificate for "trust
 * nobody": a file that is half written would cut every function off without a word.
 *
 * Throws CONFIG_INVALID.
 */
export async function readCaFile(path: string): Promise<{ text: string; stamp: FileStamp }> {
  const { text, stamp } = await readTextFile(path, {
    code: 'CONFIG_INVALID',
    what: 'the CA file',
    exposure: 'public',
    maxBytes: maxCaFileBytes,
  });
  const begun = text.match(/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/g)?.length ?? 0;
  const certificates = text.match(/-----BEGIN ([A-Z0-9 ]*CERTIFICATE)-----[^-]*-----END \1-----/g) ?? [];
  if (begun === 0 || certificates.length < begun || !certificates.every(isCertificate)) {
    throw new PluginError('CONFIG_INVALID', {
      happened: `the CA file ${path} holds ${begun === 0 ? 'no certificate' : 'a broken certificate'}`,
      expected: 'PEM: -----BEGIN CERTIFICATE----- …',
      remedy: 'Put the certificate of your CA there, or remove https.ca to trust the public ones.',
    });
  }
  return { text, stamp };
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}
