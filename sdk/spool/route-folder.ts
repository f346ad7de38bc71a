import { createHash } from 'node:crypto';

/**
 * The folder below a spool that holds the events of a route: its name, if every part of it can be a folder's name
 * anywhere, and a hash of it otherwise.
 */
export function folderOfRoute(name: string): string {
  const isPlain = name.split('/').every((part) => /^(?!\.+$)[\w.%~!'()-]{1,200}$/.test(part));
  return isPlain && name.length <= 600 ? name : `route-${createHash('sha256').update(name).digest('hex')}`;
}
