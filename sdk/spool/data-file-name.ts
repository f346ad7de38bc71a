/**
 * The name of the file that takes an event at a time, as the vendors' Log collectors name theirs: `datas_YYYYMMDDHH.log`
 * hourly, `datas_YYYYMMDD.log` daily, in local time.
 */
export function nameDataFile(at: Date, rotate: 'hour' | 'day'): string {
  const day = `${at.getFullYear()}${pad(at.getMonth() + 1)}${pad(at.getDate())}`;
  return `datas_${day}${rotate === 'hour' ? pad(at.getHours()) : ''}.log`;
}

/** Whether a file may be one: Node's SDK leaves the hour unpadded, and a spool adds its own number. */
export const isDataFile = (name: string): boolean => /^datas_\d{8,10}(-[\w-]+)?\.log$/.test(name);

const pad = (number: number): string => String(number).padStart(2, '0');
