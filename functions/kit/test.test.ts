import { expect, test, vi } from 'vitest';
import { FunctionError } from './function-error.ts';
import { ipfilter } from './ipfilter.ts';
import { call } from './test.ts';
import { allow, deny } from './verdict.ts';

test('calls checkIP without keys or servers', async () => {
  const plugin = ipfilter<{ BANNED: string }>({
    checkIP: ({ ip, protocol }, { env }) =>
      ip === env.BANNED ? deny(`no ${protocol}`, { for: '5m' }) : allow({ protocols: 'all' }),
  });
  const { checkIP } = call(plugin, { env: { BANNED: '192.0.2.1' } });
  expect(await checkIP({ ip: '::ffff:192.0.2.1', protocol: 'FTP' })).toEqual({
    allowed: false,
    reason: 'no FTP',
    forMs: 300_000,
    scope: '192.0.2.1/32;protocols="FTP"',
  });
  expect(await checkIP({ ip: '192.0.2.2' })).toEqual({
    allowed: true,
    reason: '',
    forMs: 0,
    scope: '192.0.2.2/32',
  });
});

test('a verdict says how long it holds in every case', async () => {
  const later = { staleWhileRevalidate: '1m', staleIfError: '0s' } as const;
  const plugin = ipfilter({
    checkIP: ({ protocol }) =>
      protocol === 'SSH'
        ? deny('no', { for: '5m', ...later })
        : allow(protocol === 'FTP' ? { staleIfError: '2h' } : { staleIfError: '0s' }),
  });
  const ask = (protocol: 'SSH' | 'FTP' | 'DAV') => call(plugin).checkIP({ ip: '192.0.2.1', protocol });
  expect(await ask('SSH')).toMatchObject({
    forMs: 300_000,
    staleWhileRevalidateMs: 60_000,
    staleIfErrorMs: 0,
  });
  // every connection asks; the verdict stands in for a function that cannot be asked
  expect(await ask('FTP')).toMatchObject({ forMs: 0, staleIfErrorMs: 7_200_000 });
  expect(await ask('DAV')).not.toHaveProperty('staleIfErrorMs');
});

test('what the handler throws is what the test sees', async () => {
  const plugin = ipfilter({
    checkIP() {
      throw new RangeError('off by one');
    },
  });
  await expect(call(plugin).checkIP({ ip: '192.0.2.1' })).rejects.toThrow(RangeError);
  await expect(call(plugin).checkIP({ ip: 'nobody' })).rejects.toThrow(FunctionError);
});

test('calls reload', async () => {
  const reload = vi.fn();
  await call(ipfilter({ checkIP: () => allow(), reload })).reload();
  expect(reload).toHaveBeenCalledOnce();
});
