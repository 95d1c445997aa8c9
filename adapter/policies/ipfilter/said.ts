import { create } from '@bufbuild/protobuf';
import { IPFilter } from '../../../proto/gen/sftpgo/ipfilter_pb.ts';
import { AnswerError, type Facts } from '../../shapes.ts';
import type { Outcome } from '../shared/cache.ts';

/** What a function said in a verdict; verdicts that say the same share one. */
export interface Said {
  readonly allowed: boolean;
  readonly facts: Pick<Facts, 'evidence' | 'version' | 'keyid' | 'reason'>;
  readonly id: string;
  /** Verdicts that refer to it. */
  uses: number;
}

/** Heap that one takes beside its reason: its texts and its place in the map. */
const saidBytes = 700;

/** The answers behind remembered verdicts. An error with its stack would cost kilobytes for each denied address. */
export class SaidTable {
  readonly #byId = new Map<string, Said>();
  /** Every allow is the same empty message; nobody writes to it. */
  readonly #output = create(IPFilter.method.checkIP.output);
  #bytes = 0;

  /** An upper estimate of the heap that they take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What this answer says, used once more. */
  take(outcome: Outcome): Said {
    const allowed = 'reply' in outcome;
    const from = allowed ? outcome.reply.facts : outcome.denied.facts;
    const { evidence = 'claimed', version = '', keyid = '', reason } = from ?? {};
    const id = JSON.stringify([allowed, evidence, version, keyid, reason]);
    let said = this.#byId.get(id);
    if (said === undefined) {
      const facts = { evidence, version, keyid, ...(reason === undefined ? {} : { reason: copyOf(reason) }) };
      said = { allowed, facts, id, uses: 0 };
      this.#byId.set(id, said);
      this.#bytes += bytesOf(said);
    }
    said.uses += 1;
    return said;
  }

  /** One verdict fewer refers to it. */
  release(said: Said): void {
    said.uses -= 1;
    if (said.uses > 0) return;
    this.#byId.delete(said.id);
    this.#bytes -= bytesOf(said);
  }

  /** The answer again, as it came but for what the verdict itself knows: scope and lifetimes. */
  recall({ allowed, facts }: Said): Outcome {
    if (allowed) return { reply: { output: this.#output, facts } };
    const denied = new AnswerError(
      'DENIED',
      {
        happened: 'the function said no',
        expected: 'nothing else',
        remedy: 'This is its decision, remembered.',
      },
      { connect: 'permission_denied', facts, functionText: '' },
    );
    return { denied };
  }
}

function bytesOf({ facts }: Said): number {
  return saidBytes + 2 * (facts.reason?.length ?? 0);
}

/** A slice of a text keeps the whole of it alive. */
function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
