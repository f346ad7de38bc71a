/**
 * The host of `ingest` and `load`: what `@google-cloud/functions-framework` resolves to in their archives.
 *
 * It keeps the framework's contract (`http(name, handler)`, the bin `functions-framework`, PORT, FUNCTION_TARGET)
 * and leaves out what the data path cannot afford: it never reads the body, and on SIGTERM it finishes what it began.
 */
export { main } from './main.ts';
export { type Handler, http, onDrain } from './registry.ts';
