import { test } from 'vitest';
import { checkAgreement } from './fixtures/agreement.ts';

test('decides as reading the rules from the top does, and alike for all that a verdict claims to hold for', async () => {
  await checkAgreement(15);
});
