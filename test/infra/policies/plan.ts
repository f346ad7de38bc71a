import { z } from 'zod';
import type { Deployable } from '../../../shared/deployables.ts';

const planSchema = z.object({
  terraform_version: z.string(),
  variables: z.record(z.string(), z.object({ value: z.unknown() })).default({}),
  resource_changes: z.array(
    z.object({
      address: z.string(),
      mode: z.enum(['managed', 'data']),
      type: z.string(),
      change: z.object({ after: z.unknown() }),
    }),
  ),
  configuration: z.object({
    provider_config: z.record(
      z.string(),
      z.object({ full_name: z.string(), version_constraint: z.string().optional() }),
    ),
  }),
});

/** What `terraform show -json` tells of a plan. What is known only after apply is absent from `after`. */
export type Plan = z.infer<typeof planSchema> & {
  /** The functions.json that was planned. */
  readonly deployables: readonly Deployable[];
};

export const readPlan = (json: string, deployables: readonly Deployable[]): Plan => ({
  ...planSchema.parse(JSON.parse(json)),
  deployables,
});

/** A planned resource, by its address. */
export interface Planned<T> {
  readonly address: string;
  readonly is: T;
}

/** The resources of a type as they will be, each with what the shape names of it. */
export function planned<T>(plan: Plan, type: string, shape: z.ZodType<T>): Planned<T>[] {
  return plan.resource_changes
    .filter((it) => it.type === type && it.mode === 'managed')
    .map(({ address, change }) => {
      const parsed = shape.safeParse(change.after);
      if (parsed.success) return { address, is: parsed.data };
      throw new Error(`${address}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
    });
}

/** A rule that every plan must keep, and where a plan breaks it. */
export interface Policy {
  readonly rule: string;
  readonly broken: (plan: Plan) => Iterable<string>;
}

/** A name or text that may be unknown before apply. */
export const text = z.string().nullish();
export const amount = z.number().nullish();
/** A block that may be there once. */
export const block = <T extends z.ZodRawShape>(shape: T) => z.array(z.object(shape)).default([]);
