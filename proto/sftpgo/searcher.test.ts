import { fromBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { expect, test } from 'vitest';
import { FsEventsFilterSchema, ProviderEventsFilterSchema } from '../gen/sftpgo/searcher_pb.ts';

/** As an SDK writes it: one length-delimited entry for each value. */
function written(number: number, values: readonly string[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const value of values) writer.tag(number, WireType.LengthDelimited).string(value);
  return writer.finish();
}

test.for([
  [FsEventsFilterSchema, 11],
  [ProviderEventsFilterSchema, 10],
] as const)(
  'exclude_ids of SDK 0.1.3 and from_id of 0.1.4 are read from one field: %s',
  ([schema, number]) => {
    const excluded = fromBinary(schema, written(number, ['id1', 'id2', 'id3']));
    expect(excluded.fromOrExcludeIds).toEqual(['id1', 'id2', 'id3']);
    expect(fromBinary(schema, written(number, ['id1'])).fromOrExcludeIds).toEqual(['id1']);
    expect(fromBinary(schema, written(number, [])).fromOrExcludeIds).toEqual([]);
  },
);
