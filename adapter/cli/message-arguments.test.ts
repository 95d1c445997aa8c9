import { EmptySchema } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { CheckIPRequestSchema } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { DecryptRequestSchema } from '../../proto/gen/sftpgo/kms_pb.ts';
import { FsEventsFilterSchema } from '../../proto/gen/sftpgo/searcher_pb.ts';
import { messageFromArguments } from './message-arguments.ts';

test('text is taken as it is, with equals signs, blanks and quotes', () => {
  expect(messageFromArguments(CheckIPRequestSchema, ['ip=203.0.113.7', 'protocol='])).toMatchObject({
    ip: '203.0.113.7',
    protocol: '',
  });
  expect(messageFromArguments(DecryptRequestSchema, ['payload=a=b "c" 5', 'mode=1'])).toMatchObject({
    payload: 'a=b "c" 5',
    mode: 1,
  });
});

test('names of the .proto file and of JSON both work', () => {
  for (const word of ['additional_data=x', 'additionalData=x']) {
    expect(messageFromArguments(DecryptRequestSchema, [word])).toMatchObject({ additionalData: 'x' });
  }
});

test('numbers of 64 bits keep every digit, lists are JSON', () => {
  const words = ['start_timestamp=1697040000123456789', 'actions=["upload"]'];
  expect(messageFromArguments(FsEventsFilterSchema, words)).toMatchObject({
    startTimestamp: 1697040000123456789n,
    actions: ['upload'],
  });
});

test.each([
  [['Ip=x', 'protcol=SSH'], 'CheckIPRequest has no field "Ip"', 'Did you mean "ip"?'],
  [['ip=x', 'protcol=SSH'], 'CheckIPRequest has no field "protcol"', 'Did you mean "protocol"?'],
  [['colour=x'], 'CheckIPRequest has no field "colour"', 'Correct it.'],
  [['ip'], '"ip" has no value', 'Add it; an empty one is written as an equals sign alone.'],
])('%j: %s', (words, happened, remedy) => {
  expect(() => messageFromArguments(CheckIPRequestSchema, words)).toThrow(
    expect.objectContaining({ code: 'INPUT_INVALID', happened, remedy }),
  );
});

test('values are in no message: they may be secrets', () => {
  const error = (() => {
    try {
      return messageFromArguments(DecryptRequestSchema, ['mode=hunter2']);
    } catch (thrown) {
      return thrown;
    }
  })();
  expect(error).toMatchObject({ code: 'INPUT_INVALID', happened: 'the value of "mode" is not JSON' });
  expect(Object(error).message).not.toContain('hunter2');
  expect(() => messageFromArguments(DecryptRequestSchema, ['mode="hunter2"'])).toThrow(
    expect.objectContaining({ code: 'INPUT_INVALID', message: expect.not.stringContaining('hunter2') }),
  );
});

test('a message without fields says so', () => {
  expect(() => messageFromArguments(EmptySchema, ['ip=x'])).toThrow(
    expect.objectContaining({ expected: 'no fields at all' }),
  );
});
