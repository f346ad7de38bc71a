import { compileFilter, fieldsOf } from './google-analytics/filter.ts';
import { type FilterExpression, parseReport } from './google-analytics/request.ts';
import { runReport } from './google-analytics/run-report.ts';
import { type ChannelSlice, type ChannelTruth, sliceChannels } from './truth/channel-slice.ts';
import type { Slice } from './truth/property-slice.ts';
import type { World } from './world.ts';

/** Asks for the truth of a property, as the API would tell it without thresholds, samples or a row `(other)`. */
export interface TruthQuery {
  propertyId: string;
  /** ISO days of the property, both included. */
  from: string;
  to: string;
  dimensions: string[];
  metrics: string[];
  /** The Data API's own filter. */
  dimensionFilter?: FilterExpression;
  /** What was shown at this instant. Default: what is shown in the end, when all has come in and all is restated. */
  at?: Date | string;
}

export interface ChannelTruthQuery {
  channelIds: string[];
  /** ISO days, Pacific, both included. */
  from: string;
  to: string;
  dimensions: string[];
  metrics: string[];
  filters?: Record<string, string[]>;
  at?: Date | string;
}

export function truthOf(world: World, query: TruthQuery): Slice {
  const property = world.properties.get(query.propertyId);
  if (property === undefined) throw new RangeError(`There is no property ${query.propertyId}.`);
  const { from, to, dimensions, metrics, dimensionFilter } = query;
  const names = dimensionFilter === undefined ? [] : fieldsOf(dimensionFilter);
  return property.truth.slice({
    from,
    to,
    dimensions,
    metrics,
    at: instantOf(query.at),
    ...(dimensionFilter === undefined
      ? {}
      : { where: { names, keeps: compileFilter(dimensionFilter, names) } }),
  });
}

export function channelTruthOf(world: World, query: ChannelTruthQuery): ChannelSlice {
  const channels: ChannelTruth[] = query.channelIds.map((id) => {
    const channel = world.channels.get(id);
    if (channel === undefined) throw new RangeError(`There is no channel ${id}.`);
    return channel;
  });
  const { from, to, dimensions, metrics, filters } = query;
  return sliceChannels(channels, {
    from,
    to,
    dimensions,
    metrics,
    at: instantOf(query.at),
    ...(filters === undefined ? {} : { filters: new Map(Object.entries(filters)) }),
  });
}

/**
 * What runReport answers to this request at an instant, thresholds, samples and `(other)` included, without its quotas and
 * faults. Throws for a request that it would refuse.
 */
export function answerAt(world: World, propertyId: string, request: object, at: Date | string): object {
  const property = world.properties.get(propertyId);
  if (property === undefined) throw new RangeError(`There is no property ${propertyId}.`);
  const parsed = parseReport(request);
  const ran = 'refused' in parsed ? parsed : runReport(property.truth, parsed.value, new Date(at).getTime());
  if ('refused' in ran) throw new Error(JSON.stringify(ran.refused.body));
  return ran.value.body;
}

function instantOf(at: Date | string | undefined): number {
  return at === undefined ? Number.POSITIVE_INFINITY : new Date(at).getTime();
}
