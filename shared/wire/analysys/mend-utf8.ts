/**
 * The web SDK encodes each half of a surrogate pair by itself (CESU-8) before it writes base64, so that an emoji in the
 * URL of an image is invalid UTF-8. Pairs become UTF-8 again; a half that is alone becomes its JSON escape, `\ud83d`,
 * which says the same. In valid UTF-8 none of these bytes occur, and what else is invalid stays so.
 */
export function mendUtf8(bytes: Buffer): Buffer {
  const mended = bytes.toString('latin1').replace(surrogates, (found) => {
    const units = found.length === 6 ? [unitAt(found, 0), unitAt(found, 3)] : [unitAt(found, 0)];
    return units.length === 2
      ? Buffer.from(String.fromCharCode(...units)).toString('latin1')
      : `\\u${units[0]?.toString(16)}`;
  });
  return Buffer.from(mended, 'latin1');
}

const surrogates = /\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]|\xed[\xa0-\xbf][\x80-\xbf]/g;

const unitAt = (text: string, place: number): number =>
  0xd000 | ((text.charCodeAt(place + 1) & 0x3f) << 6) | (text.charCodeAt(place + 2) & 0x3f);
