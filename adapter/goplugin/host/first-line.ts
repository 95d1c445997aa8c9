import type { Readable } from 'node:stream';

/** Go's bufio.Scanner gives up at a line of 64 KiB. */
const maxLineBytes = 65_536;

/**
 * The first line of a stream, without its line feed; undefined when the stream ends before there is one. The
 * stream is read on afterwards and thrown away, so that its writer never blocks.
 */
export function firstLine(stream: Readable): Promise<string | undefined> {
  return new Promise((resolve) => {
    let head = Buffer.alloc(0);
    let found = false;
    const finish = (line: string | undefined) => {
      found = true;
      head = Buffer.alloc(0);
      resolve(line);
    };
    stream.on('data', (chunk: Buffer) => {
      if (found) return;
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf(0x0a);
      if (end >= 0) finish(head.toString('utf8', 0, end));
      else if (head.length >= maxLineBytes) finish(head.toString('utf8', 0, maxLineBytes));
    });
    stream.once('end', () => finish(head.length > 0 ? head.toString('utf8') : undefined));
    stream.once('error', () => finish(undefined));
  });
}
