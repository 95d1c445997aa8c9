import { expect, test } from 'vitest';
import { allow, deny } from '../kit/index.ts';
import { call } from '../kit/test.ts';
import { type Check, ipfilterRules } from './index.ts';

const rules = { default: 'allow', rules: [] } as const;
const ask = (...before: Check[]) =>
  call(ipfilterRules(rules, { before })).checkIP({ ip: '192.0.2.7', protocol: 'SSH' });

test('the verdict of a check comes before the rules', async () => {
  expect(
    await ask(
      () => undefined,
      async () => deny('banned', { for: '10s' }),
    ),
  ).toMatchObject({
    allowed: false,
    reason: 'banned',
    forMs: 10_000,
  });
});

test('where a check says nothing, the verdict of the rules is for one address and one protocol', async () => {
  expect(await ask(() => undefined)).toMatchObject({ allowed: true, scope: '192.0.2.7/32;protocols="SSH"' });
});

test('what a check vouches for is not narrowed, what it limits is', async () => {
  const passed = { prefixLength: 24, protocols: 'all', forMs: 20_000 } as const;
  expect((await ask(() => ({ passed }))).forMs).toBe(20_000);
});

test('a verdict that is used once more while it is asked again stays within the limit too', async () => {
  const lasting = { ...rules, for: '10s', staleWhileRevalidate: '1m' } as const;
  const asked = async (forMs: number) => {
    const before: Check[] = [() => ({ passed: { protocols: 'all', forMs } })];
    return await call(ipfilterRules(lasting, { before })).checkIP({ ip: '192.0.2.7' });
  };
  expect(await asked(30_000)).toMatchObject({ forMs: 10_000, staleWhileRevalidateMs: 20_000 });
  expect(await asked(100_000)).toMatchObject({ forMs: 10_000, staleWhileRevalidateMs: 60_000 });
  expect(await asked(5_000)).toMatchObject({ forMs: 5_000 });
  expect(await asked(5_000)).not.toHaveProperty('staleWhileRevalidateMs');
});

test('the verdict of a check holds for no more than the checks before it vouch for', async () => {
  const wide = { ...allow({ for: '5m', protocols: 'all' }), prefixLength: 24 };
  const said = await ask(
    // denies a neighbour, and vouches for nobody
    () => undefined,
    () => wide,
  );
  expect(said).toMatchObject({ allowed: true, forMs: 300_000, scope: '192.0.2.7/32;protocols="SSH"' });
  const passed = { prefixLength: 28, protocols: 'all', forMs: 20_000 } as const;
  const half = await ask(
    () => ({ passed }),
    () => wide,
  );
  expect(half).toMatchObject({ forMs: 20_000, scope: '192.0.2.0/28' });
});

test('a check that fails is no verdict', async () => {
  await expect(
    ask(() => {
      throw new Error('the store is down');
    }),
  ).rejects.toThrow();
});
