/** A dialect's limits on values: those that are only warned about, and the one that cuts. */
export interface ValueRules {
  /** Warn about strings of more characters. */
  readonly warnStringAbove: number;
  /** Warn about lists of more elements. */
  readonly warnListAbove: number;
  readonly warnNullAndNested: boolean;
  /** Cut strings of more characters to `to` characters and `mark`. */
  readonly cut: { readonly above: number; readonly to: number; readonly mark: string } | undefined;
}

/** Warnings of one event, up to a bound; the last one says that there were more. */
export interface Warnings {
  list: string[] | undefined;
}

export const maximumWarnings = 50;

export function warn(warnings: Warnings, rule: string, where: string): void {
  warnings.list ??= [];
  if (warnings.list.length < maximumWarnings - 1) warnings.list.push(`${rule}: ${clip(where)}`);
  else if (warnings.list.length === maximumWarnings - 1) warnings.list.push('more: warnings were left out');
}

/** A string by the rules: cut where it is too long for the vendor, and made well-formed as BigQuery needs it. */
export function mendString(value: string, rules: ValueRules, warnings: Warnings, where: string): string {
  let mended = value;
  if (rules.cut !== undefined && mended.length > rules.cut.above) {
    warn(warnings, 'string_cut', where);
    mended = mended.slice(0, rules.cut.to) + rules.cut.mark;
  }
  if (!mended.isWellFormed()) {
    warn(warnings, 'lone_surrogate', where);
    mended = mended.toWellFormed();
  }
  return mended;
}

export const clip = (text: string): string =>
  text.length <= 120 ? text.toWellFormed() : `${text.slice(0, 120).toWellFormed()}…`;
