import { parseArgs } from 'node:util';
import { type AccessCase, measureAccess, measureOneByOne } from './access-runs.ts';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '300' },
    accounts: { type: 'string', default: '50' },
    properties: { type: 'string', default: '1000' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run bench:access [-- --users 300 --accounts 50 --properties 1000]

Gives so many users access to every one of so many properties, in so many accounts, where nobody had any: by one request to
functions/permissions on a local Admin API, Google's quotas at 80% and a clock that only waiting moves. Counts the calls of
the plan, of applying it and of making sure, and the time that the quotas take; then applies it again, which must write
nothing. Beside it stand what the sample of the older Management API does, by its formula, and one call for each user and
property, by its formula, which a small organisation proves by calling. Exit 1 over the limits for the default sizes.`);
  process.exit(0);
}

const size: AccessCase = {
  users: Number(values.users),
  accounts: Number(values.accounts),
  properties: Number(values.properties),
};
const ours = await measureAccess(size);

const small: AccessCase = { users: 4, accounts: 2, properties: 10 };
const proved = await measureOneByOne(small);
const oneByOne = ({ users, accounts, properties }: AccessCase) => ({
  reads: Math.ceil(accounts / 200) + properties,
  writes: users * properties,
});
const formula = oneByOne(small);
if (formula.reads !== proved.reads || formula.writes !== proved.writes) {
  throw new Error(`the formula says ${JSON.stringify(formula)}, and there were ${JSON.stringify(proved)}`);
}

/** Whole minutes that so many writes take at 180 a minute, Google's quota of one user. */
const minutes = (writes: number) => Math.max(0, Math.ceil(writes / 180) - 1);
const all = oneByOne(size);
// developers.google.com/analytics/devguides/config/mgmt/v3/user-management: one batch for each account and user.
const sample = 1 + size.accounts * size.users;

console.log(`${size.users} users on ${size.properties} properties in ${size.accounts} accounts`);
console.table({
  plan: { calls: ours.plan.calls, writes: 0, verifications: 0, 'minutes of quota': ours.plan.minutes },
  apply: {
    calls: ours.apply.calls,
    writes: ours.apply.writes,
    verifications: ours.apply.verifications,
    'minutes of quota': ours.apply.minutes,
  },
  'apply again': {
    calls: ours.again.calls,
    writes: ours.again.writes,
    verifications: ours.again.verifications,
    'minutes of quota': ours.again.minutes,
  },
  'one call for each': {
    calls: all.reads + all.writes,
    writes: all.writes,
    verifications: 0,
    'minutes of quota': minutes(all.writes),
  },
  'the sample of the Management API': { calls: sample, writes: sample - 1, verifications: 0 },
});
console.log(
  `throttled ${ours.throttled} times; ${ours.bindings} bindings; ${ours.seconds.toFixed(0)} s on this machine`,
);

const isDefault = size.users === 300 && size.accounts === 50 && size.properties === 1_000;
const limits: readonly [string, number, number][] = [
  ['calls of the plan', ours.plan.calls, 1_060],
  ['calls of applying', ours.apply.calls, 2_100],
  ['verifications', ours.apply.verifications, 1_050],
  ['minutes of quota', ours.apply.minutes, 10],
  ['writes of applying again', ours.again.writes, 0],
  ['bindings that are missing', size.users * size.properties - ours.bindings, 0],
];
const over = isDefault ? limits.filter(([, is, most]) => is > most) : [];
for (const [what, is, most] of over) console.log(`${what}: ${is}, at most ${most}`);
console.log(over.length === 0 ? 'within the limits' : 'OVER THE LIMITS');
process.exit(over.length === 0 ? 0 : 1);
