/** What each rule says of a day, as an operator reads it: functions/reports/services has the rules. */
const rules: Readonly<Record<string, string>> = {
  R0_too_early: 'It is too early: the day has not ended in its own zone, or only just.',
  R1_full: 'Every hour of the day has data, and there is data from after it: the day is complete.',
  R2_quiet:
    'Hours without data are what so quiet a property has: by its traffic of earlier weeks they may well be empty.',
  R3_stable: 'Nothing of the day has changed between two looks hours apart, and the day is long over.',
  R4_zero:
    'The day has nothing at all, two days after its end, while the days around it can be read: a true zero.',
  R5_forced: 'The deadline is over: the day is read as it is, flagged forced, and read again later.',
  no_wait: 'The configuration says not to wait for this one (waitForData: false).',
  watermark: "The owner's reports reach this day or a later one: the day is complete.",
  watermark_zero:
    "The owner's reports reach this day and the channel has no row of it, as it has none on many days: a true zero.",
  waiting_missing_hours: 'Hours of the day have no data yet, more than so quiet a property would have.',
  waiting_later_data:
    'All hours have data, but there is none from after the day: its last hour may be half full.',
  waiting_empty: 'The day has nothing yet, and not enough time has passed to call that a zero.',
  waiting_watermark: "The owner's reports do not reach this day yet.",
  waiting_own_row: 'The channel has no row for this day yet, and no later one.',
};

export const explainRule = (rule: string): string => rules[rule] ?? `It was judged by ${rule}.`;
