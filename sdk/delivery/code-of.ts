/** `code` of an error of Node's, as ENOENT or ECONNRESET. */
export const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
