/** Variables as a process receives them; `process.env` is one. */
export type Environment = Readonly<Record<string, string | undefined>>;
