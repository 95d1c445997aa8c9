/**
 * Goes on with a value that may be a promise: at once when it is not, so that node:crypto costs no turn of
 * the event loop.
 */
export function after<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
