import { z } from 'zod';
import { amount, block, type Plan, planned, text } from './plan.ts';

const functionShape = z.object({
  name: z.string(),
  build_config: block({ runtime: text, entry_point: text }),
  service_config: block({
    service_account_email: text,
    available_memory: text,
    available_cpu: text,
    max_instance_request_concurrency: amount,
    max_instance_count: amount,
    min_instance_count: amount,
    timeout_seconds: amount,
    ingress_settings: text,
    environment_variables: z.record(z.string(), z.string()).nullish(),
  }),
});

const serviceShape = z.object({
  name: z.string(),
  ingress: text,
  template: block({
    service_account: text,
    max_instance_request_concurrency: amount,
    timeout: text,
    scaling: block({ max_instance_count: amount }),
    containers: block({
      image: text,
      resources: block({
        limits: z.record(z.string(), z.string()).nullish(),
        cpu_idle: z.boolean().nullish(),
      }),
      env: block({ name: z.string(), value: text }),
    }),
  }),
});

/** A function of functions.json as it is called, of whichever of the two kinds. */
export interface PlannedFunction {
  readonly address: string;
  readonly name: string;
  /** Its name in functions.json. */
  readonly target: string;
  readonly account: string;
  readonly memory: string;
  readonly cpu: number;
  readonly concurrency: number;
  readonly timeoutSeconds: number;
  readonly maxInstances: number;
  readonly internal: boolean;
  readonly environment: Readonly<Record<string, string>>;
  /** What is billed, as Cloud Run calls it, and the image, of which a plan knows nothing where it is still to be built. */
  readonly billed:
    | { readonly by: 'requests' }
    | { readonly by: 'instances'; readonly image: string | undefined };
}

/** The functions of a plan that may be called: those that Google runs as they are, and services that run their image. */
export function plannedFunctions(plan: Plan): PlannedFunction[] {
  const services = plannedServices(plan);
  const functions = plannedBuilds(plan).filter(({ builds }) => builds === undefined);
  return [...services, ...functions.map(({ asFunction }) => asFunction)];
}

/** Every function that Google builds; `builds` is the service that runs its image in its place, where there is one. */
export function plannedBuilds(plan: Plan) {
  const services = plannedServices(plan);
  return planned(plan, 'google_cloudfunctions2_function', functionShape).map(({ address, is }) => {
    const [build] = is.build_config;
    const [service] = is.service_config;
    const asFunction: PlannedFunction = {
      address,
      name: is.name,
      target: build?.entry_point ?? '',
      account: service?.service_account_email ?? '',
      memory: service?.available_memory ?? '',
      cpu: Number(service?.available_cpu ?? 0),
      concurrency: service?.max_instance_request_concurrency ?? 1,
      timeoutSeconds: service?.timeout_seconds ?? 0,
      maxInstances: service?.max_instance_count ?? 0,
      internal: service?.ingress_settings === 'ALLOW_INTERNAL_ONLY',
      environment: service?.environment_variables ?? {},
      billed: { by: 'requests' },
    };
    return {
      asFunction,
      runtime: build?.runtime ?? '',
      minInstances: service?.min_instance_count ?? 0,
      builds: services.find((it) => moduleOf(it.address) === moduleOf(address)),
    };
  });
}

function plannedServices(plan: Plan): PlannedFunction[] {
  return planned(plan, 'google_cloud_run_v2_service', serviceShape).map(({ address, is }) => {
    const [template] = is.template;
    const container = template?.containers[0];
    const resources = container?.resources[0];
    // FUNCTION_TARGET is for the framework, which Google sets by itself where it runs a function.
    const { FUNCTION_TARGET: target = '', ...environment } = Object.fromEntries(
      (container?.env ?? []).map(({ name, value }) => [name, value ?? '']),
    );
    return {
      address,
      name: is.name,
      target,
      account: template?.service_account ?? '',
      memory: resources?.limits?.memory ?? '',
      cpu: Number(resources?.limits?.cpu ?? 0),
      concurrency: template?.max_instance_request_concurrency ?? 1,
      timeoutSeconds: Number.parseInt(template?.timeout ?? '0', 10),
      maxInstances: template?.scaling[0]?.max_instance_count ?? 0,
      internal: is.ingress === 'INGRESS_TRAFFIC_INTERNAL_ONLY',
      environment,
      // Cloud Run gives no CPU between requests unless it is told to, and bills requests then.
      billed:
        resources?.cpu_idle === false
          ? { by: 'instances', image: container?.image ?? undefined }
          : { by: 'requests' },
    };
  });
}

const moduleOf = (address: string): string => address.replace(/\.google_\w+\.\w+(\[\d+\])?$/, '');
