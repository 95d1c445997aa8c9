import type { MessageShape } from '@bufbuild/protobuf';
import { PluginError } from '../../../proto/error.ts';
import { type GetFoldersRequestSchema, Metadata } from '../../../proto/gen/sftpgo/metadata_pb.ts';
import type { Call, Policy } from '../../shapes.ts';

/** SQL databases, DynamoDB and Go all compare text by its bytes; JavaScript's `<` goes by UTF-16 units. */
function isBefore(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
}

/**
 * Refuses pages of GetFolders that would keep SFTPGo's consistency check going for ever: it asks for what follows
 * the last folder of a page until a page is shorter than the limit.
 *
 * Throws ANSWER_INVALID.
 */
export function folderPage(): Policy {
  return {
    name: 'folder-page',
    wrap: (next) => async (call: Call) => {
      const reply = await next(call);
      if (call.method.name !== Metadata.method.getFolders.name) return reply;
      const { from, limit } = call.input as MessageShape<typeof GetFoldersRequestSchema>;
      const { folders } = reply.output as MessageShape<typeof Metadata.method.getFolders.output>;
      let last = from;
      const ascends = folders.every((folder) => {
        const ok = isBefore(last, folder);
        last = folder;
        return ok;
      });
      if (ascends && (limit <= 0 || folders.length <= limit)) return reply;
      throw new PluginError('ANSWER_INVALID', {
        happened: ascends
          ? `GetFolders brought ${folders.length} folders where ${limit} were asked for`
          : 'GetFolders brought folders that are not in order, or not after the last page',
        expected: 'at most `limit` folders, ascending by their bytes, all after `from`',
        remedy: 'Correct the function: its signature is good, its content is not.',
      });
    },
  };
}
