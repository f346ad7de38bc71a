import { accessPolicies } from './access.ts';
import { functionPolicies } from './functions.ts';
import { operationPolicies } from './operations.ts';
import { pipelinePolicies } from './pipeline.ts';
import type { Plan, Policy } from './plan.ts';
import { queuePolicies } from './queues.ts';
import { warehousePolicies } from './warehouse.ts';

export const policies: readonly Policy[] = [
  ...functionPolicies,
  ...queuePolicies,
  ...warehousePolicies,
  ...accessPolicies,
  ...operationPolicies,
  ...pipelinePolicies,
];

/** What a plan breaks, each with the rule. */
export const judge = (plan: Plan): string[] =>
  policies.flatMap(({ rule, broken }) => [...broken(plan)].map((where) => `${rule}: ${where}`));
