/**
 * The example of docs/kms.md: one alias, whose key may change, and the encryption context `app`.
 */
import { awsKms } from './index.ts';

export default awsKms({
  keys: ['alias/sftpgo'],
  contextKeys: ['app'],
});
