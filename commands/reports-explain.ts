import {
  callFlags,
  callFlagsHelp,
  callReports,
  type Judgement,
  readDay,
  type StatusDay,
  statusAnswer,
} from './reports-call.ts';
import { describeProof } from './reports-proof.ts';
import { explainRule } from './reports-rules.ts';
import { CommandFailed, readFlags, readFormat } from './terminal.ts';

const help = `Tells why a day of a site or channel was read when it was: every look at it with its proof, in words.

Usage: npm run reports -- explain SITE DATE [FLAGS]

  SITE                a site or channel of the configuration
  DATE                the day in its own zone, as 2026-03-01
${callFlagsHelp}
`;

/** The command: the judgements of a day in their order, and what was read of it. */
export async function explainCommand(args: string[]): Promise<number> {
  const named = args.filter((arg, index) => index < 2 && !arg.startsWith('-'));
  const flags = readFlags(args.slice(named.length), callFlags, help);
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  const format = readFormat(flags.format);
  const [site, day] = named;
  if (site === undefined) throw new CommandFailed(`SITE is missing.\n\n${help}`);
  const date = readDay(day, 'DATE', help);
  const call = callReports(flags.url);
  const answer = statusAnswer.parse(
    await call('/status', { from: date, to: date, keys: [site], proofs: true }),
  );
  if (answer.entities.length === 0)
    throw new CommandFailed(`The configuration has no site or channel ${site}.`);
  if (format === 'json') process.stdout.write(`${JSON.stringify(answer)}\n`);
  else {
    const parts = answer.entities.map(({ entityId, held, days }) => {
      const told = days.flatMap((one) => describeDay(one));
      const stops = held.map(
        ({ message, until }) => `  ${message}${until === null ? '' : ` Until ${until}.`}`,
      );
      return `${site}, ${entityId}, ${date}\n${[...told, ...stops].join('\n')}\n`;
    });
    process.stdout.write(parts.join('\n'));
  }
  return 0;
}

function describeDay({ judged, wanted, pulled }: StatusDay): string[] {
  const looks = judged.map(describeLook);
  const readings = pulled.map(({ report, attempts, rows, ladderDay, flags, restated }) => {
    const times = attempts === 1 ? 'once' : `${attempts} times`;
    const changed = restated === 0 ? '' : `, ${restated} of them found changes`;
    const flagged = flags.length === 0 ? '' : `, flagged ${flags.join(', ')}`;
    return `  ${report} was read ${times}${changed}; ${rows} rows as of day ${ladderDay} after its end${flagged}.`;
  });
  const missing = wanted.filter((report) => !pulled.some((one) => one.report === report));
  return [
    ...(looks.length === 0
      ? ['  It was never judged: it is to come, or before what polls look at (backfill).']
      : looks),
    ...readings,
    ...(missing.length === 0 ? [] : [`  Not read yet: ${missing.join(', ')}.`]),
  ];
}

function describeLook({ gate, verdict, rule, probedAt, notBefore, proof = {} }: Judgement): string {
  const at = probedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC');
  const next = verdict === 'waiting' && notBefore !== null ? ` Not looked at again before ${notBefore}.` : '';
  const what = gate === 'day' ? '' : ` (${gate})`;
  const { seen, because } = describeProof(proof);
  const told = [
    ...(seen.length === 0 ? [] : [`\n    seen: ${seen.join('; ')}.`]),
    ...(because.length === 0 ? [] : [`\n    judged by: ${because.join('; ')}.`]),
  ];
  return `  ${at}${what} ${verdict}: ${explainRule(rule)}${next}${told.join('')}`;
}
