import { FunctionError, metadata } from 'sftpgo-plugin-serverless/kit';
import { decide, numberOf, tell } from './tell.ts';

function check(rpc: string, path: string): number {
  const n = numberOf(path);
  tell(rpc, n);
  if (path.startsWith('/exit')) process.exit(1);
  if (decide(n) === 'error') throw new FunctionError('unavailable', 'no database');
  return n;
}

/** Times by the number in the path; of some it knows none, and one kind of name ends its process. */
export default metadata<object>({
  setModificationTime: ({ path }) => void check('SetModificationTime', path),
  getModificationTime({ path }) {
    const n = check('GetModificationTime', path);
    return decide(n) === 'no' ? undefined : BigInt(n);
  },
  getModificationTimes: ({ folder }) => ({ a: BigInt(check('GetModificationTimes', folder)) }),
  removeMetadata: ({ path }) => void check('RemoveMetadata', path),
  getFolders: ({ from }) => [`${from}/${check('GetFolders', from)}`],
});
