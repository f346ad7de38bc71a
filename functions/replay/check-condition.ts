/**
 * Whether a condition stays between the parentheses that a query puts around it: what is wrong with it, or undefined.
 *
 * Reads strings, names and comments as GoogleSQL does (cloud.google.com/bigquery/docs/reference/standard-sql/lexical),
 * so that a parenthesis in a string counts for nothing. What the condition means is for BigQuery to judge.
 */
export function checkCondition(condition: string): string | undefined {
  if (condition.trim() === '') return 'the condition is empty';
  let depth = 0;
  let at = 0;
  while (at < condition.length) {
    const lexeme = lexemeAt(condition, at);
    if (lexeme === undefined) return `${describe(condition[at])} is never closed`;
    if (lexeme === '(') depth++;
    if (lexeme === ')') depth--;
    if (depth < 0) return 'a ) closes what the condition did not open';
    if (lexeme === ';') return 'a ; ends a statement; a condition is part of one';
    at += lexeme.length;
  }
  return depth === 0 ? undefined : `${depth} ( are never closed`;
}

const lexeme =
  /'''(?:\\.|(?!''')[^\\])*'''|"""(?:\\.|(?!""")[^\\])*"""|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\\n])*`|(?:#|--)[^\n]*|\/\*[\s\S]*?\*\/|[^'"`]/suy;

/** The string, quoted name, comment or else the one character that begins here; undefined where it does not end. */
function lexemeAt(text: string, at: number): string | undefined {
  lexeme.lastIndex = at;
  const found = lexeme.exec(text)?.[0];
  return found === '/' && text.startsWith('/*', at) ? undefined : found;
}

const describe = (character: string | undefined): string =>
  character === '/' ? 'a comment' : `what ${character} opens`;
