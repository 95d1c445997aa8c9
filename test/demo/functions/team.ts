import { authUsers } from '../../../functions/auth/index.ts';

/** Two users of the demo, both with the password in test/demo/cases/auth.ts; it opens nothing else. */
export default authUsers({
  users: [
    {
      username: 'bob',
      password:
        '$argon2id$v=19$m=19456,t=2,p=1$f/XDJ/8x/NNu16TzqZ1tJQ$o7I5OMfTsfeBkIKz9nJT5E/5gPb7HiIFyBjYB1etutI',
      publicKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBobsDemoKeyBobsDemoKeyBobsDemoKeyBobsDemoKe demo'],
      tls: { commonName: 'bob' },
      settings: {
        status: 1,
        home_dir: '/srv/sftp/bob',
        permissions: { '/': ['list', 'download', 'upload'] },
      },
    },
    {
      username: 'carol',
      password:
        '$argon2id$v=19$m=19456,t=2,p=1$f/XDJ/8x/NNu16TzqZ1tJQ$o7I5OMfTsfeBkIKz9nJT5E/5gPb7HiIFyBjYB1etutI',
      totp: { secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' },
      settings: { status: 1, home_dir: '/srv/sftp/carol', permissions: { '/': ['list', 'download'] } },
    },
  ],
});
