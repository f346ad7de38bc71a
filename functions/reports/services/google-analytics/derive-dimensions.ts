/** What can be computed of a row beside what the API gives. */
export const derivations = ['article', 'socialNetwork'] as const;
export type Derivation = (typeof derivations)[number];

/** The dimensions that each adds to a row. */
export const derivedDimensions: Record<Derivation, readonly string[]> = {
  article: ['article', 'amp'],
  socialNetwork: ['socialNetwork'],
};

/** Adds what is derived. Rows stay as many as the API gave: who sums them by `article` knows which metrics add up. */
export function deriveDimensions(
  dimensions: Readonly<Record<string, string>>,
  derive: readonly Derivation[],
  socialSources: Readonly<Record<string, string>>,
): Record<string, string> {
  const derived = { ...dimensions };
  for (const name of derive) {
    if (name === 'article') Object.assign(derived, readArticle(dimensions));
    else derived.socialNetwork = networkOf(dimensions.sessionSource ?? '', socialSources);
  }
  return derived;
}

/** The path of an article without query string, fragment, AMP's part and closing slash; `amp` is AMP or empty. */
function readArticle(dimensions: Readonly<Record<string, string>>): { article: string; amp: string } {
  const path = dimensions.pagePathPlusQueryString ?? dimensions.pagePath ?? '';
  const bare = path.replace(/[?#].*$/s, '');
  const plain = bare.replace(/(^|\/)amp(?=\/|$)/, '').replace(/(?<=.)\/+$/, '');
  return { article: plain === '' && bare !== '' ? '/' : plain, amp: isAmp(path, bare) ? 'AMP' : '' };
}

const isAmp = (path: string, bare: string) =>
  /(^|\/)amp(\/|$)/.test(bare) || /[?&](?:amp|outputType=amp)(?:=1)?(?:&|$)/.test(path);

/** GA4 has no dimension of social networks; the map of the configuration is looked up by host, its longest part first. */
function networkOf(from: string, socialSources: Readonly<Record<string, string>>): string {
  const parts = from.toLowerCase().split('.');
  for (let at = 0; at < parts.length; at++) {
    const network = socialSources[parts.slice(at).join('.')];
    if (network !== undefined) return network;
  }
  return '(not set)';
}
