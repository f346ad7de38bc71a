import { expect, test } from 'vitest';
import { describeTarget } from './pubsub/describe-target.ts';
import { findEmulator } from './pubsub/find-emulator.ts';
import { startGoogle } from './pubsub/start-google.ts';

const emulator = findEmulator(process.env);

if (emulator.kind === 'found') {
  const { command } = emulator;
  describeTarget(
    'google',
    "Google's own Pub/Sub emulator does what Google documents, or what is listed:",
    () => startGoogle(command),
  );
} else {
  test("NOT VERIFIED against Google's own Pub/Sub emulator, which is not installed here", () => {
    console.warn(
      `The local Pub/Sub was not compared with Google's own emulator: ${emulator.why}. It comes with ` +
        'the Google Cloud CLI (gcloud components install pubsub-emulator, or the package ' +
        'google-cloud-cli-pubsub-emulator); PUBSUB_EMULATOR_HOME may name its folder.',
    );
    expect(emulator.why).not.toBe('');
  });
}
