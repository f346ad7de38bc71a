import type { ServerResponse } from 'node:http';

export interface Answer {
  status: number;
  body: object;
}

/** Google's names of the statuses of its REST errors (google.rpc.Code). */
const STATUS_NAMES: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ABORTED',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

/** An error in the shape of Google's newer APIs. */
export function refuse(status: number, message: string, details?: object[]): Answer {
  const error = { code: status, message, status: STATUS_NAMES[status] ?? 'UNKNOWN' };
  return { status, body: { error: details === undefined ? error : { ...error, details } } };
}

/** An error in the shape of the older APIs, which YouTube's are: with its reasons in a list. */
export function refuseWithReason(
  status: number,
  reason: string,
  message: string,
  extra: { domain?: string; location?: string; status?: string } = {},
): Answer {
  const { domain = 'global', location } = extra;
  const where = location === undefined ? {} : { location, locationType: 'parameter' };
  return {
    status,
    body: {
      error: {
        code: status,
        message,
        errors: [{ message, domain, reason, ...where }],
        ...(extra.status === undefined ? {} : { status: extra.status }),
      },
    },
  };
}

export function send(response: ServerResponse, { status, body }: Answer): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response
    .writeHead(status, {
      'content-type': 'application/json; charset=UTF-8',
      'content-length': bytes.length,
      'cache-control': 'private',
    })
    .end(bytes);
}
