import { startStorage } from './index.ts';

// Run as a process of its own, to be killed. Arguments: the file, the port (0 for any).
const [file = '', port = '0'] = process.argv.slice(2);
const server = await startStorage({ file, port: Number(port) });
process.stdout.write(`${server.port}\n`);
