/**
 * The largest body of a request to a function, in bytes: what the kit reads, on every target, so that functions can
 * move. Lambda's own limit is the same number, but for the body after base64 (docs/lambda.md, "Limits").
 */
export const maxRequestBytes = 6 * 1024 * 1024;
