import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkCondition } from './check-condition.ts';

describe('a condition', () => {
  test.each([
    "reason = 'bad_xwhen'",
    "reason IN ('a', 'b') AND (project = 'shop' OR project IS NULL)",
    "detail = 'a ) in a string ; is text'",
    'detail = "it\'s" AND TRUE',
    String.raw`detail = 'a quote \' and a ) after it'`,
    String.raw`detail = r'raw \' )'`,
    `detail = '''three ' of ) them'''`,
    'detail = """a "quoted" ) text"""',
    '`reason` = "x"',
    'TRUE -- ) in a comment',
    'TRUE # ; in a comment',
    'TRUE /* ) ; \n */ AND FALSE',
    'a / b > 2',
    "detail = '你好 )'",
  ])('stays where it is put: %s', (condition) => {
    expect(checkCondition(condition)).toBeUndefined();
  });

  test.each([
    ['', 'is empty'],
    [' \n', 'is empty'],
    ['TRUE)', 'a ) closes'],
    ['TRUE) OR (TRUE', 'a ) closes'],
    ['(TRUE', '1 ( are never closed'],
    ['TRUE; SELECT 1', 'a ; ends'],
    ['TRUE /* open', 'a comment is never closed'],
    ["reason = 'open", "what ' opens is never closed"],
    ["reason = 'two\nlines'", "what ' opens is never closed"],
    ['reason = `open', 'what ` opens is never closed'],
    ["reason = '''open''", 'is never closed'],
    ["reason = 'x\\') OR (TRUE", "what ' opens is never closed"],
  ])('is refused where it does not: %j', (condition, problem) => {
    expect(checkCondition(condition)).toContain(problem);
  });

  test('of any characters is judged at once, and what is taken holds as many ( as )', () => {
    const pieces = fc.constantFrom('(', ')', "'", '"', '`', '\\', '\n', '/*', '*/', '--', '#', ';', 'x', ' ');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const condition = parts.join('');
        if (checkCondition(condition) !== undefined) return;
        // What is left without strings, names and comments, by another way of finding them.
        const bare = condition.replace(
          /'''(?:.|\n)*?'''|"""(?:.|\n)*?"""|'(?:\\(?:.|\n)|[^'\n\\])*'|"(?:\\(?:.|\n)|[^"\n\\])*"|`(?:\\(?:.|\n)|[^`\n\\])*`|(?:--|#).*|\/\*(?:.|\n)*?\*\//g,
          ' ',
        );
        expect(bare.split('(').length).toBe(bare.split(')').length);
        expect(bare).not.toContain(';');
      }),
    );
  });
});
