/**
 * The example of docs/kms.md: one alias, whose key may be exchanged, and the encryption context `app`.
 */
import { awsKms } from 'sftpgo-plugin-serverless/functions/kms';

export default awsKms({
  keys: ['alias/sftpgo'],
  contextKeys: ['app'],
});
