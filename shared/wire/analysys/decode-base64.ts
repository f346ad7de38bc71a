import { unescape as decodePercent } from 'node:querystring';

/**
 * Base64 of either alphabet, with or without padding, in lines or not; undefined for anything else.
 *
 * Node's decoder skips what is not base64, so its answer is believed only where its length shows that nothing was
 * skipped. Form parsers on the way turn `+` into a space and may leave `%2B`: both are undone.
 */
export function decodeBase64(bytes: Buffer): Buffer | undefined {
  const text = bytes.toString('latin1');
  const decoded = Buffer.from(text, 'base64');
  return isWhole(text, decoded) ? decoded : decodeMended(text);
}

function decodeMended(text: string): Buffer | undefined {
  const escaped = text.includes('%') ? decodePercent(text) : text;
  const mended = escaped
    .replace(/[\r\n\t]+/g, '')
    .trim()
    .replaceAll(' ', '+');
  const decoded = Buffer.from(mended, 'base64');
  return isWhole(mended, decoded) ? decoded : undefined;
}

/** Four characters hold three bytes; one character over a multiple of four holds none and is never written. */
function isWhole(text: string, decoded: Buffer): boolean {
  let characters = text.length;
  for (let padding = 0; padding < 2 && text[characters - 1] === '='; padding++) characters--;
  return characters > 0 && characters % 4 !== 1 && decoded.length === Math.floor((characters * 3) / 4);
}
