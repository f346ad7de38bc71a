/**
 * Who calls, by the Authorization header: a bearer token that is an e-mail address says it. Google's own access tokens
 * mean nothing here, and gRPC without TLS carries none; undefined then, which is the caller of the seed.
 */
export function readCaller(authorization: string | undefined): string | undefined {
  return /^Bearer ([^\s@]+@[^\s@]+)$/i.exec(authorization ?? '')?.[1];
}
