/** Header fields, one entry per field line, names in lower case. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** A request to a function, as the signature sees it. */
export interface RequestMessage {
  /** Always `POST` in the profile. */
  readonly method: string;
  /** Absolute, as `new URL().href` writes it: so a lock's addresses are kept, and `Request.url` is. Another spelling does not fit. */
  readonly url: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

/** A function's answer, as the signature sees it. */
export interface AnswerMessage {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}
