import type { Debug, EventKind } from '../../events/event.ts';

/** An event as a sender of ours writes it; `tributaryEventSchema` in schema.ts describes each field. */
export interface TributaryEvent<Value = unknown> {
  readonly id?: string | undefined;
  readonly kind?: EventKind | undefined;
  readonly name?: string | undefined;
  readonly item_id?: string | undefined;
  readonly anonymous_id?: string | undefined;
  readonly user_id?: string | undefined;
  readonly user_key?: string | undefined;
  /** RFC 3339, or milliseconds since 1970. */
  readonly occurred_at?: string | number | undefined;
  readonly sent_at?: string | number | undefined;
  readonly platform?: string | undefined;
  readonly sdk?: string | undefined;
  readonly sdk_version?: string | undefined;
  readonly session_id?: string | undefined;
  readonly debug?: Debug | undefined;
  readonly properties?: Readonly<Record<string, Value>> | undefined;
  readonly context?: Readonly<Record<string, Value>> | undefined;
}
