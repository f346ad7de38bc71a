import { createRandom } from '../random.ts';
import { calm, combine, troubles } from './faults.ts';
import { drawCase, drawNext, poison } from './organisations.ts';
import { runTrial, type TrialResult } from './trial.ts';
import { startWorld, type World } from './world.ts';

export interface AccessFigures {
  readonly trials: number;
  readonly faultsStruck: number;
  readonly changes: number;
  readonly processes: number;
  /** How many ended how. */
  readonly ended: Readonly<Record<string, number>>;
  readonly lies: readonly string[];
}

export const emptyFigures = (): AccessFigures => ({
  trials: 0,
  faultsStruck: 0,
  changes: 0,
  processes: 0,
  ended: {},
  lies: [],
});

const add = (figures: AccessFigures, result: TrialResult, name: string): AccessFigures => ({
  trials: figures.trials + 1,
  faultsStruck: figures.faultsStruck + result.faultsStruck,
  changes: figures.changes + result.changes,
  processes: figures.processes + result.processes,
  ended: { ...figures.ended, [result.ended]: (figures.ended[result.ended] ?? 0) + 1 },
  lies: [...figures.lies, ...result.lies.map((lie) => `${name}: ${lie}`)],
});

export interface AccessOptions {
  readonly seed: number;
  /** Which trials, by their numbers. */
  readonly numbers: readonly number[];
  readonly progress: (line: string) => void;
}

const names = Object.keys(troubles);

/** Every second trial has one fault alone, in turn; the others two to four at once. */
export async function proveAccess({ seed, numbers, progress }: AccessOptions): Promise<AccessFigures> {
  const world = await startWorld();
  let figures = emptyFigures();
  try {
    for (const [done, number] of numbers.entries()) {
      const random = createRandom(seed * 1_000_003 + number);
      const chosen =
        number % 2 === 0
          ? [names[(number / 2) % names.length]!]
          : Array.from(
              { length: 2 + Math.floor(random() * 3) },
              () => names[Math.floor(random() * names.length)]!,
            );
      const trouble = combine(chosen.map((name) => troubles[name]!(random)));
      const result = await runTrial(world, drawCase(random), trouble, random);
      figures = add(figures, result, `--seed ${seed} --only ${number} (${chosen.join(' and ')})`);
      if (numbers.length === 1) progress(JSON.stringify({ chosen, trouble, result }, null, 1));
      if ((done + 1) % 50 === 0) {
        progress(`${done + 1} of ${numbers.length} trials, ${figures.lies.length} lies`);
      }
    }
  } finally {
    await world.close();
  }
  return figures;
}

/** Kills the process of each request at every point of its life, and goes on with it. Every second one is rolled back. */
export async function proveDeaths(options: {
  readonly seed: number;
  readonly requests: number;
  readonly progress: (line: string) => void;
}): Promise<AccessFigures> {
  const { seed, requests, progress } = options;
  const world = await startWorld();
  let figures = emptyFigures();
  try {
    for (let number = 0, found = 0; found < requests; number++) {
      const isBack = found % 2 === 1;
      const live = await runOnce(world, seed, number, isBack, undefined);
      // One that is refused, or has nothing to do, has no life.
      if (live.changes < 2 || (isBack && live.ended !== 'rolled_back')) continue;
      found += 1;
      figures = add(figures, live, `request ${number}, alive`);
      for (let point = 1; point <= live.points; point++) {
        const result = await runOnce(world, seed, number, isBack, point);
        const name = `request ${number} of seed ${seed}, killed at point ${point} of ${live.points}`;
        figures = add(figures, result, name);
        if (result.ended !== live.ended || JSON.stringify(result.held) !== JSON.stringify(live.held)) {
          const lie = `${name}: it ended ${result.ended}, and otherwise than alive, ${live.ended}`;
          figures = { ...figures, lies: [...figures.lies, lie] };
        }
      }
      progress(
        `killed request ${found} of ${requests} at ${live.points} points, ${figures.lies.length} lies`,
      );
    }
  } finally {
    await world.close();
  }
  return figures;
}

/**
 * One request after the other on the same organisations, with nobody else about: whatever the guards accept, no account
 * loses its last administrator, and who asks and who calls Google lose nothing.
 */
export async function proveSequences(options: {
  readonly seed: number;
  readonly organisations: number;
  readonly requests: number;
  readonly progress: (line: string) => void;
}): Promise<AccessFigures> {
  const { seed, organisations, requests, progress } = options;
  const world = await startWorld();
  let figures = emptyFigures();
  try {
    for (let number = 0; number < organisations; number++) {
      const random = createRandom(seed * 3_000_017 + number);
      let drawn = drawCase(random);
      for (let request = 1; request <= requests; request++) {
        const result = await runTrial(world, drawn, calm, random);
        figures = add(figures, result, `request ${request} on organisation ${number} of seed ${seed}`);
        drawn = drawNext(random, drawn.organisation, result.held);
      }
      if ((number + 1) % 20 === 0) {
        progress(`${number + 1} of ${organisations} organisations, ${figures.lies.length} lies`);
      }
    }
  } finally {
    await world.close();
  }
  return figures;
}

function runOnce(
  world: World,
  seed: number,
  number: number,
  isBack: boolean,
  diesAt: number | undefined,
): Promise<TrialResult> {
  const random = createRandom(seed * 7_000_003 + number);
  const drawn = isBack ? poison(drawCase(random)) : drawCase(random);
  return runTrial(world, drawn, { ...calm, deaths: diesAt === undefined ? [] : [diesAt] }, random);
}
