/** Ends the process quietly when the reader of its output has gone, as `| head` does. */
export function exitOnClosedOutput(onClosed: () => void = () => process.exit(0)): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') onClosed();
    else throw error;
  });
}

/** Writes and waits until the text has been handed over, so that exiting afterwards loses nothing of a pipe. */
export function writeOut(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => resolve());
  });
}
