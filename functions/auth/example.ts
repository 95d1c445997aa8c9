import { authUsers, fileUsers } from './index.ts';

/** Users in the file that the variable USERS_FILE names: for `local` and for Node. */
export default authUsers({ users: fileUsers({ variable: 'USERS_FILE' }) });
