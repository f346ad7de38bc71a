import { parseArgs } from 'node:util';
import { startBigQuery } from './index.ts';

// The local BigQuery as a process of its own: prints its ports as one line of JSON, closes on SIGTERM and SIGINT.
const { values } = parseArgs({
  options: {
    file: { type: 'string', default: ':memory:' },
    'rest-port': { type: 'string', default: '9050' },
    'grpc-port': { type: 'string', default: '9060' },
  },
});

const server = await startBigQuery({
  file: values.file,
  restPort: Number(values['rest-port']),
  grpcPort: Number(values['grpc-port']),
  log: (line) => console.error(line),
});
console.log(JSON.stringify({ restPort: server.restPort, grpcPort: server.grpcPort }));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void server.close().then(() => process.exit(0));
  });
}
