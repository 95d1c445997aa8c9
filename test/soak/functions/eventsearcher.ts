import { eventsearcher, FunctionError } from 'sftpgo-plugin-serverless/kit';
import { decide, numberOf, tell } from './tell.ts';

function check(rpc: string, username: string): void {
  const n = numberOf(username);
  tell(rpc, n);
  if (decide(n) === 'error') throw new FunctionError('unavailable', 'no database');
}

/** Finds one event of whoever is asked about. */
export default eventsearcher<object>({
  searchFsEvents({ username }) {
    check('SearchFsEvents', username);
    const file = { fsPath: '/a', virtualPath: '/a', fileSize: 1n, status: 1, fsProvider: 0 };
    const where = { protocol: 'SFTP', sessionId: 's', role: '' };
    return [{ id: 'e', timestamp: 1n, username, action: 'upload', ...file, ...where }];
  },
  searchProviderEvents({ username }) {
    check('SearchProviderEvents', username);
    return [];
  },
  searchLogEvents({ username }) {
    check('SearchLogEvents', username);
    return [];
  },
});
