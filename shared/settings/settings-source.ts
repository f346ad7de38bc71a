import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { ObjectStore } from '../google/object-store.ts';
import { InvalidSettings } from './parse-settings.ts';

/** What lies at a place: settings as text under a version, what is known already, or nothing. */
export type Found =
  | { readonly kind: 'text'; readonly version: string; readonly text: string }
  | { readonly kind: 'same' }
  | { readonly kind: 'absent' };

/** The environment variable that names the place. */
export const settingsLocation = z
  .string()
  .refine((text) => !text.includes('://') || objectPlace.test(text), 'must be a path or gs://BUCKET/OBJECT');

/** A place that settings are read from. Reading rejects where the place cannot be reached, within its time. */
export interface SettingsSource {
  /** As an operator knows it. */
  readonly location: string;
  read(knownVersion: string | undefined): Promise<Found>;
  /** The same without waiting, where that can be. */
  readonly readNow?: () => Found;
  close(): void;
}

/**
 * Settings in a file, or in an object of Cloud Storage where `location` is `gs://BUCKET/OBJECT`; undefined where it is
 * undefined.
 */
export function openSettingsSource(
  location: string | undefined,
  openBucket: (bucket: string) => Pick<ObjectStore, 'find' | 'read' | 'close'>,
): SettingsSource | undefined {
  if (location === undefined) return undefined;
  const { bucket, object } = objectPlace.exec(location)?.groups ?? {};
  if (bucket === undefined || object === undefined) return fileSource(location);
  return objectSource(location, object, openBucket(bucket));
}

const objectPlace = /^gs:\/\/(?<bucket>[^/]+)\/(?<object>.+)$/;

function fileSource(path: string): SettingsSource {
  const found = (text: string): Found => ({ kind: 'text', version: text, text });
  return {
    location: path,
    async read(knownVersion) {
      try {
        const text = await readFile(path, 'utf8');
        return text === knownVersion ? { kind: 'same' } : found(text);
      } catch (cause) {
        return absentOr(cause);
      }
    },
    readNow() {
      try {
        return found(readFileSync(path, 'utf8'));
      } catch (cause) {
        return absentOr(cause);
      }
    },
    close() {},
  };
}

function absentOr(cause: unknown): Found {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return { kind: 'absent' };
  throw cause;
}

/** How long a call to Cloud Storage may take, tries included. */
const withinMs = 3_000;
/** Settings of ten thousand projects take a few of it. */
const mostBytes = 8 * 1024 * 1024;

function objectSource(
  location: string,
  object: string,
  bucket: Pick<ObjectStore, 'find' | 'read' | 'close'>,
): SettingsSource {
  return {
    location,
    async read(knownVersion) {
      const stored = await bucket.find(object, withinMs);
      if (stored === undefined) return { kind: 'absent' };
      if (stored.generation === knownVersion) return { kind: 'same' };
      if (stored.bytes > mostBytes) {
        throw new InvalidSettings(
          `${location} has ${stored.bytes} bytes; settings have at most ${mostBytes}`,
        );
      }
      const data = await bucket.read(object, stored.generation, withinMs);
      if (data === undefined) throw new Error('it was replaced while it was read');
      return { kind: 'text', version: stored.generation, text: data.toString() };
    },
    close: () => bucket.close(),
  };
}
