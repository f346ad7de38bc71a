import { analysys } from './analysys/decode.ts';
import type { WireDialect } from './dialect.ts';
import { growingio } from './growingio/decode.ts';
import { segment } from './segment/decode.ts';
import { tributary } from './tributary/decode.ts';

/** Every dialect that is understood, in the order in which their endpoints are matched. */
export const wireDialects: readonly WireDialect[] = [analysys, growingio, segment, tributary];
