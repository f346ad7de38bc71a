/** An answer in a few words. */
export const describeAnswer = (status: number, body: string): string =>
  body === '' ? `the server answered ${status}` : `the server answered ${status}: ${body.slice(0, 200)}`;
