import type { Settings } from '../../shared/settings/settings.ts';

/** What the settings decide of a project's identity. */
export interface ProjectPolicy {
  readonly project: string;
  /** Undefined: one_to_one where the project has an alias of Analysys, else devices_to_one_user. */
  readonly policy: 'one_to_one' | 'devices_to_one_user' | undefined;
  readonly order: 'occurred_at' | 'received_at';
  /** The event ids of aliases that count no more. */
  readonly voided: readonly string[];
}

/** The policies of the projects that the settings name. For others, and without such settings, the defaults hold. */
export const policiesOf = (settings: Settings): ProjectPolicy[] =>
  Object.entries(settings.projects).flatMap(([project, { identity }]) =>
    identity === undefined
      ? []
      : [{ project, policy: identity.policy, order: identity.order, voided: identity.voided }],
  );

/** The parameters @policies and @voided of the SQL of identity. */
export const policyParameters = (policies: readonly ProjectPolicy[]) => ({
  params: {
    policies: policies.map(({ project, policy = '', order }) => ({ project, policy, claim_order: order })),
    voided: policies.flatMap(({ project, voided }) =>
      [...new Set(voided)].map((event_id) => ({ project, event_id })),
    ),
  },
  types: {
    policies: [{ project: 'STRING', policy: 'STRING', claim_order: 'STRING' }],
    voided: [{ project: 'STRING', event_id: 'STRING' }],
  },
});
