/** EventType of the vendor's protocol, by number; the last is only in the Go SDK's. */
export const eventTypes = [
  'VISIT',
  'CUSTOM',
  'VISITOR_ATTRIBUTES',
  'LOGIN_USER_ATTRIBUTES',
  'CONVERSION_VARIABLES',
  'APP_CLOSED',
  'PAGE',
  'PAGE_ATTRIBUTES',
  'VIEW_CLICK',
  'VIEW_CHANGE',
  'FORM_SUBMIT',
  'ACTIVATE',
] as const;

const known: ReadonlySet<string> = new Set(eventTypes);

export const isKnownType = (type: string): boolean => known.has(type);

/** Attributes of somebody, which a profile is folded from: of the user who logged in, or of the visitor. */
export const isProfile = (type: string): boolean =>
  type === 'LOGIN_USER_ATTRIBUTES' || type === 'VISITOR_ATTRIBUTES';

/** The name of a track that the SDK measures by itself: VIEW_CLICK is `$view_click`. */
export const nameOfType = (type: string): string => `$${type.toLowerCase()}`;
