import { expect, test } from 'vitest';
import { misreadsKeys } from './json-keys.ts';

test('the Node.js that runs the tests reads keys as they are; one that does not is told', () => {
  expect(misreadsKeys()).toBe(false);
  const parse = JSON.parse;
  // as the defect has it: the key of the object before
  const defective = (text: string) => parse(text.includes('\\\\') ? text : text.replace('\\"', '\\\\'));
  JSON.parse = defective;
  try {
    expect(misreadsKeys()).toBe(true);
  } finally {
    JSON.parse = parse;
  }
});
