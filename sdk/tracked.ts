import type { Delivery } from './delivery/route.ts';

/** Settles with what became of the event where the collector knows (`immediate`, `debug`), and once it is taken where not. */
export type Tracked = Promise<Delivery | undefined>;
