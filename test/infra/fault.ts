/**
 * What finds a fault: a command of Terraform, the policies over its plan, what `terraform test` asserts, or nothing that
 * runs without a cloud.
 */
export type Layer = 'init' | 'validate' | 'plan' | 'policy' | 'test' | 'nothing';

/** A mistake that somebody could make in infra/, as a change of one file. */
export interface Fault {
  readonly name: string;
  /** Which layer must find it first; written down before the policies were. */
  readonly layer: Layer;
  /** Below infra/. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Why nothing finds it. */
  readonly because?: string;
}

/** A fault that something finds. */
export const fault = (layer: Layer, name: string, file: string, find: string, replace: string): Fault => ({
  layer,
  name,
  file,
  find,
  replace,
});
