export { type AnalysysOptions, AnalysysTracker, type AnalysysTrackerOptions } from './analysys-tracker.ts';
export type { GrowingCodec } from './codecs/codec.ts';
export { json } from './codecs/json.ts';
export { type BatchOptions, batch } from './collectors/batch.ts';
export { type DebugOptions, debug } from './collectors/debug.ts';
export { type FileOptions, file } from './collectors/file.ts';
export { type ImmediateOptions, immediate } from './collectors/immediate.ts';
export type {
  CloseReport,
  Collector,
  Delivery,
  DeliveryReport,
  DeliveryTrouble,
  EncodedRequest,
  EventLines,
  Judgement,
  Reporting,
  Route,
  UndeliveredEvent,
  Verdict,
} from './delivery/route.ts';
export {
  type GrowingEventOptions,
  type GrowingOptions,
  GrowingTracker,
  type GrowingTrackerOptions,
} from './growing-tracker.ts';
export type { Tracked } from './tracked.ts';
export { type EventOptions, Tracker, type TrackerOptions, type Who } from './tracker.ts';
export type { Issue, OnIssue } from './validation/issue.ts';
export { version } from './version.ts';
