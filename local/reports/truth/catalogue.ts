import { hash, hashText, weigh } from './hash.ts';

export interface Source {
  source: string;
  medium: string;
  channelGroup: string;
  /** What the browser tells of where the visitor came from; empty when it tells nothing. */
  referrer: string;
}

/** Where visits come from, by weight. Index 0 is the traffic whose source is not known. */
const SOURCES: readonly [weight: number, Source][] = [
  [30, from('(not set)', '(not set)', 'Unassigned')],
  [300, from('google', 'organic', 'Organic Search', 'https://www.google.com/')],
  [220, from('(direct)', '(none)', 'Direct')],
  [40, from('bing', 'organic', 'Organic Search', 'https://www.bing.com/')],
  [20, from('duckduckgo', 'organic', 'Organic Search', 'https://duckduckgo.com/')],
  [12, from('yahoo', 'organic', 'Organic Search', 'https://search.yahoo.com/')],
  [45, from('facebook.com', 'referral', 'Organic Social', 'https://www.facebook.com/')],
  [60, from('m.facebook.com', 'referral', 'Organic Social', 'https://m.facebook.com/')],
  [25, from('l.facebook.com', 'referral', 'Organic Social', 'https://l.facebook.com/')],
  [40, from('t.co', 'referral', 'Organic Social', 'https://t.co/Qx1')],
  [30, from('reddit.com', 'referral', 'Organic Social', 'https://www.reddit.com/')],
  [12, from('linkedin.com', 'referral', 'Organic Social', 'https://www.linkedin.com/')],
  [6, from('lnkd.in', 'referral', 'Organic Social', 'https://lnkd.in/')],
  [14, from('instagram.com', 'referral', 'Organic Social', 'https://www.instagram.com/')],
  [8, from('l.instagram.com', 'referral', 'Organic Social', 'https://l.instagram.com/')],
  [9, from('youtube.com', 'referral', 'Organic Video', 'https://www.youtube.com/')],
  [7, from('pinterest.com', 'referral', 'Organic Social', 'https://www.pinterest.com/')],
  [11, from('news.ycombinator.com', 'referral', 'Referral', 'https://news.ycombinator.com/')],
  [9, from('bsky.app', 'referral', 'Referral', 'https://bsky.app/')],
  [10, from('en.wikipedia.org', 'referral', 'Referral', 'https://en.wikipedia.org/')],
  [18, from('news.example.org', 'referral', 'Referral', 'https://news.example.org/today')],
  [6, from('partner.example.net', 'referral', 'Referral', 'https://partner.example.net/?q=a&b=c')],
  [3, from('forum.example.com', 'referral', 'Referral', 'https://forum.example.com/t/12')],
  [28, from('newsletter', 'email', 'Email')],
  [14, from('google', 'cpc', 'Paid Search', 'https://www.google.com/')],
  [8, from('flipboard.com', 'referral', 'Referral', 'https://flipboard.com/')],
  [5, from('chatgpt.com', 'referral', 'Referral', 'https://chatgpt.com/')],
  [4, from('Partner, Inc. "news"', 'co-op', 'Unassigned')],
];
export const NOT_SET_SOURCE = 0;
export const GOOGLE_ORGANIC = 1;
export const sources: readonly Source[] = SOURCES.map(([, source]) => source);
export const sourcePlaces = weigh(SOURCES.map(([weight]) => weight));

const COUNTRIES =
  'US United States 300|GB United Kingdom 220|IN India 70|CA Canada 50|AU Australia 45|DE Germany 40|FR France 32|NL Netherlands 20|IE Ireland 18|SE Sweden 14|PL Poland 14|ES Spain 16|IT Italy 16|BR Brazil 18|MX Mexico 9|JP Japan 10|KR South Korea 6|PH Philippines 9|ID Indonesia 8|ZA South Africa 8|NG Nigeria 6|NZ New Zealand 9|NO Norway 7|DK Denmark 7|FI Finland 6|BE Belgium 8|CH Switzerland 7|AT Austria 6|PT Portugal 6|TR Türkiye 5|CI Côte d’Ivoire 1|RE Réunion 1|CN China 5|SG Singapore 5|AE United Arab Emirates 4|PK Pakistan 4|RU Russia 4|UA Ukraine 3|AR Argentina 4|CL Chile 2';
const countryRows: readonly [weight: number, id: string, name: string][] = [
  [6, '(not set)', '(not set)'],
  ...COUNTRIES.split('|').map((row): [number, string, string] => [
    Number(row.slice(row.lastIndexOf(' ') + 1)),
    row.slice(0, 2),
    row.slice(3, row.lastIndexOf(' ')),
  ]),
];
export const countries: readonly { id: string; name: string }[] = countryRows.map(([, id, name]) => ({
  id,
  name,
}));
export const countryPlaces = weigh(countryRows.map(([weight]) => weight));

const DEVICES: readonly [weight: number, category: string, system: string, browser: string][] = [
  [330, 'mobile', 'iOS', 'Safari'],
  [270, 'mobile', 'Android', 'Chrome'],
  [210, 'desktop', 'Windows', 'Chrome'],
  [60, 'desktop', 'Windows', 'Edge'],
  [60, 'desktop', 'Macintosh', 'Safari'],
  [25, 'desktop', 'Linux', 'Firefox'],
  [40, 'tablet', 'iOS', 'Safari'],
  [15, 'tablet', 'Android', 'Samsung Internet'],
  [4, 'smart tv', 'Tizen', 'Samsung Internet'],
];
export const devices: readonly { category: string; system: string; browser: string }[] = DEVICES.map(
  ([, category, system, browser]) => ({ category, system, browser }),
);
export const devicePlaces = weigh(DEVICES.map(([weight]) => weight));

export interface Page {
  path: string;
  /** With its question mark, or empty. */
  query: string;
  title: string;
}

/** How an article is reached: plain, as AMP, with a campaign's parameters, with a click's. */
export const PAGE_VARIANTS = 4;
/** The pages that are no articles: their numbers come before the articles'. */
export const FIXED_PAGES: readonly Page[] = [
  { path: '/', query: '', title: 'Home' },
  { path: '/', query: '?utm_source=newsletter', title: 'Home' },
  { path: '/page/2', query: '', title: 'Home, page 2' },
  { path: '/forum/', query: '', title: 'Forum' },
  { path: '/forum/t/4711', query: '?page=3', title: 'Which one? — Forum' },
  { path: '/search', query: '?q=best+games', title: 'Search' },
  { path: '/about', query: '', title: '(not set)' },
  { path: '/videos/', query: '', title: 'Videos' },
];

const WORDS =
  'review guide best new how why season update trailer patch release hidden secret boss level map world story music cheap fast quiet bright open lost final first'.split(
    ' ',
  );

/** The page of a code: a fixed page's number, or those past them the article `n`'s variants. */
export function pageOf(seed: number, code: number): Page {
  const fixed = FIXED_PAGES[code];
  if (fixed !== undefined) return fixed;
  const number = Math.floor((code - FIXED_PAGES.length) / PAGE_VARIANTS);
  const variant = (code - FIXED_PAGES.length) % PAGE_VARIANTS;
  const word = (place: number) => WORDS[hash(seed, number, place) % WORDS.length] ?? '';
  const words = [word(1), word(2), word(3), word(4)];
  const slug = `/articles/${words.join('-')}-${number}`;
  const sign = hash(seed, number, 5) % 12;
  const mark = sign === 0 ? ' 🎮' : sign === 1 ? ', “live”' : sign === 2 ? ': Übersicht & mehr' : '';
  const text = words.join(' ');
  return {
    path: variant === 1 ? `${slug}/amp/` : slug,
    query:
      variant === 2 ? '?utm_source=facebook&utm_medium=social' : variant === 3 ? `?fbclid=Iw${number}` : '',
    title: `${text.charAt(0).toUpperCase()}${text.slice(1)} ${number}${mark}`,
  };
}

/** The words of a video's title. */
export function videoTitle(channel: string, number: number): string {
  const seed = hashText(channel);
  const words = [1, 2, 3].map((place) => WORDS[hash(seed, number, place) % WORDS.length] ?? '').join(' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)} (part ${number + 1})`;
}

function from(source: string, medium: string, channelGroup: string, referrer = ''): Source {
  return { source, medium, channelGroup, referrer };
}
