import { fromBase64 } from './password/bytes.ts';

/**
 * An SSH public key as `type base64`, out of a line of authorized_keys or of what SFTPGo asks about (RFC 4253
 * section 6.6: the blob begins with its own type). Returns `{ problem }` for a line with options, which nobody here
 * could enforce, for a certificate, and for what is no key.
 */
export function parsePublicKey(line: string): { readonly key: string } | { readonly problem: string } {
  const [type = '', base64 = ''] = line.trim().split(/\s+/);
  if (/-cert-v\d\d@openssh\.com$/.test(type)) {
    return { problem: 'an SSH certificate: list the key itself' };
  }
  const blob = fromBase64(base64);
  if (blob === undefined || blob.length < 8) {
    return { problem: 'expected "type base64 comment", without options before the type' };
  }
  const length = new DataView(blob.buffer).getUint32(0);
  if (new TextDecoder('latin1').decode(blob.subarray(4, 4 + length)) !== type) {
    return { problem: 'the key is not of the type that stands before it' };
  }
  return { key: `${type} ${base64}` };
}
