/**
 * How often a job of cron runs in a month of 30.4 days. Reads what infra/functions.json has: minutes and hours that are
 * all, every Nth or numbers, on every day. Throws for anything else.
 */
export function runsPerMonth(cron: string): number {
  const [minute = '', hour = '', ...days] = cron.split(' ');
  if (days.join(' ') !== '* * *')
    throw new Error(`How often is ${cron}? Only jobs of every day are understood.`);
  return Math.round((countTimes(minute, 60, cron) * countTimes(hour, 24, cron) * 365) / 12);
}

function countTimes(field: string, all: number, cron: string): number {
  if (field === '*') return all;
  const every = /^\*\/(\d+)$/.exec(field)?.[1];
  if (every !== undefined) return Math.ceil(all / Number(every));
  if (/^\d+(,\d+)*$/.test(field)) return field.split(',').length;
  throw new Error(`How often is ${cron}? ${field} is not understood.`);
}
