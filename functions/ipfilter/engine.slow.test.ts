import { test } from 'vitest';
import { checkAgreement } from './fixtures/agreement.ts';

test('decides as reading the rules from the top does, over many rule lists', async () => {
  await checkAgreement(1_000);
});
