/** One deliberate defect, and the tests of which at least one must turn red when it is applied. */
export interface Mutation {
  /** Path of the mutated file, from the repository's root. */
  readonly file: string;
  /** Text that occurs exactly once in the file. */
  readonly text: string;
  readonly replacement: string;
  /** Test files, from the repository's root. */
  readonly tests: readonly string[];
  /** What an attacker or a mistake could do without the check. */
  readonly why: string;
}
