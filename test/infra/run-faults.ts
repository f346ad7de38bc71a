import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readDeployables } from '../../shared/deployables.ts';
import { ROOT } from '../repository-files.ts';
import type { Fault, Layer } from './fault.ts';
import { faults } from './faults.ts';
import { judge } from './policies/index.ts';
import { readPlan } from './policies/plan.ts';
import { leaveOutWhatRepeats, type PreparedInfra, planInfra, prepareInfra } from './prepare-infra.ts';
import { type StubProvider, startProvider } from './provider/start-provider.ts';
import { hasTerraform, NOT_VERIFIED, runTerraform } from './terraform.ts';

const HELP = `Puts every fault of test/infra/faults.ts into a copy of infra/, one at a time, and finds out which layer catches it.

Usage: npm run proof:infra [-- [--write] [TEXT]]

With --write the table goes to docs/infra-faults.md. With TEXT only faults with it in their name are tried. Some minutes.
Ends with 1 where a fault is caught by another layer than faults.ts says.
`;

/** So that faults of the pipeline are seen too, and of what is billed by instances. */
const PIPELINE = JSON.stringify({
  repository: 'projects/my-project/locations/europe-west1/connections/github/repositories/tributary',
  state_bucket: 'my-project-terraform',
});

type Found = { layer: Layer; said: string };

/** Tries the faults and tells what caught each. */
async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return void process.stdout.write(HELP);
  if (!hasTerraform()) throw new Error(NOT_VERIFIED);
  const wanted = args.find((it) => !it.startsWith('--')) ?? '';
  const provider = await startProvider();
  const infra = prepareInfra();
  try {
    // No fault is in those left out.
    leaveOutWhatRepeats(infra.folder);
    await runTerraform(infra.folder, ['init', '-backend=false'], provider);
    const sound = await judgeInfra(infra, provider);
    if (sound.layer !== 'nothing') throw new Error(`infra itself fails at ${sound.layer}: ${sound.said}`);
    const rows: { fault: Fault; found: Found }[] = [];
    for (const fault of faults.filter(({ name }) => name.includes(wanted))) {
      const found = await tryFault(fault, infra, provider);
      rows.push({ fault, found });
      const isExpected = found.layer === fault.layer;
      console.log(`${isExpected ? 'ok  ' : 'NOT '} ${found.layer.padEnd(9)} ${fault.name}`);
      if (!isExpected) process.exitCode = 1;
    }
    const caught = rows.filter(({ found }) => found.layer !== 'nothing').length;
    console.log(`${caught} of ${rows.length} caught`);
    if (args.includes('--write') && wanted === '') {
      writeFileSync(join(ROOT, 'docs/infra-faults.md'), describe(rows));
    }
  } finally {
    provider.close();
    infra.remove();
  }
}

async function tryFault(fault: Fault, infra: PreparedInfra, provider: StubProvider): Promise<Found> {
  const file = join(infra.folder, fault.file);
  const before = readFileSync(file, 'utf8');
  if (!before.includes(fault.find)) throw new Error(`${fault.name}: ${fault.file} has no such text.`);
  writeFileSync(
    file,
    before.replace(fault.find, () => fault.replace),
  );
  const found = await judgeInfra(infra, provider);
  writeFileSync(file, before);
  // What fails there forgets modules.
  if (found.layer === 'init') await runTerraform(infra.folder, ['init', '-backend=false'], provider);
  return found;
}

/** Plans first, which takes all layers before it: only where it fails is asked which of them it is. */
async function judgeInfra(infra: PreparedInfra, provider: StubProvider): Promise<Found> {
  const planning = await planInfra(infra, provider, [
    `-var=pipeline=${PIPELINE}`,
    '-var=instance_billed=["ingest"]',
  ]);
  if (planning.kind === 'planned') {
    const broken = judgeInFull(planning.json, infra.folder);
    if (broken !== undefined) return { layer: 'policy', said: broken };
    const archives = `-var=archives=${infra.archives}`;
    const tested = await runTerraform(infra.folder, ['test', '-no-color', archives], provider);
    return tested.code === 0
      ? { layer: 'nothing', said: '' }
      : { layer: 'test', said: lastLine(tested.errors) };
  }
  for (const layer of ['init', 'validate'] as const) {
    const args = layer === 'init' ? ['-backend=false'] : [];
    const { code, errors } = await runTerraform(infra.folder, [layer, '-no-color', ...args], provider);
    if (code !== 0) return { layer, said: firstError(errors) };
  }
  return { layer: 'plan', said: firstError(planning.ran.errors) };
}

/** What the policies say first; a plan that they cannot even read is one that they refuse. */
function judgeInFull(json: string, folder: string): string | undefined {
  try {
    return judge(readPlan(json, readDeployables(pathToFileURL(join(folder, 'functions.json')))))[0];
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Of a failed assertion, which is what it says last. */
const lastLine = (errors: string): string => errors.trim().split('\n').at(-1) ?? '';

const firstError = (errors: string): string => /Error: (.*)/.exec(errors)?.[1] ?? errors.slice(0, 200);

function describe(rows: readonly { fault: Fault; found: Found }[]): string {
  const caught = rows.filter(({ found }) => found.layer !== 'nothing').length;
  const lines = rows.map(({ fault, found }) => {
    const said = found.layer === 'nothing' ? (fault.because ?? '') : found.said;
    return `| ${fault.name} | \`${fault.file}\` | ${found.layer} | ${said.replaceAll('|', '\\|').replace(/\s+/g, ' ')} |`;
  });
  return `# Faults of infra, and what catches them

Each was put into a copy of \`infra/\` by \`npm run proof:infra -- --write\`, which wrote this: ${caught} of ${rows.length}
are caught without a cloud. \`init\`, \`validate\` and \`plan\` are Terraform itself over the schema of the Google provider;
\`policy\` is \`test/infra/policies\` over the plan, \`test\` is what \`terraform test\` asserts. Sixty-one stood in
\`test/infra/faults.ts\`, each with the layer that must catch it, before there were policies; for three of them another
command of Terraform turned out to be the first. The twelve of the pipeline and of \`terraform test\` and the seven of what
is billed by instances came after these.

| Fault | In | Caught by | Which says, or why nothing does |
| --- | --- | --- | --- |
${lines.join('\n')}

What no layer sees: rules that Google's provider has in code (names, ranges, arguments that exclude each other), what it
replaces instead of changing, and all that only the cloud knows: quotas, policies of the organisation, names that are
taken, and grants that take minutes to hold.
`;
}

await main(process.argv.slice(2));
