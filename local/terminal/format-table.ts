import { styleText } from 'node:util';
import { clip, displayWidth } from './display-width.ts';

export interface TableColumn {
  name: string;
  /** Numbers stand right. */
  align: 'left' | 'right';
}

/** How a table is drawn; `width` in columns is that of a terminal, undefined where long cells stay whole. */
export interface TableStyle {
  width: number | undefined;
  color: boolean;
}

/** Where the standard output goes to: colour and clipping are for terminals only. */
export function styleOf(stream: NodeJS.WriteStream): TableStyle {
  return stream.isTTY
    ? { width: stream.columns, color: stream.hasColors?.() ?? false }
    : { width: undefined, color: false };
}

const GAP = '  ';
const LEAST_COLUMN = 8;

/** Lines of an aligned table with a line under its head. Control characters in cells are shown, never sent. */
export function formatTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  { width, color }: TableStyle,
): string[] {
  const cells = rows.map((row) => row.map(showControls));
  const natural = columns.map(({ name }, index) =>
    cells.reduce((most, row) => Math.max(most, displayWidth(row[index] ?? '')), displayWidth(name)),
  );
  const widths = width === undefined ? natural : narrow(natural, width);
  const line = (row: readonly string[]) =>
    columns
      .map(({ align }, index) => pad(row[index] ?? '', widths[index] ?? 0, align))
      .join(GAP)
      .trimEnd();
  const dim = (text: string) => (color ? styleText('dim', text, { validateStream: false }) : text);
  const bold = (text: string) => (color ? styleText('bold', text, { validateStream: false }) : text);
  return [
    bold(line(columns.map(({ name }) => name))),
    dim(widths.map((it) => '─'.repeat(it)).join(GAP)),
    ...cells.map(line),
  ];
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const clipped = clip(text, width);
  const space = ' '.repeat(Math.max(0, width - displayWidth(clipped)));
  return align === 'left' ? clipped + space : space + clipped;
}

/** Takes from the widest columns until the line fits; with too many columns it does not. */
function narrow(natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  const room = width - GAP.length * (widths.length - 1);
  let excess = widths.reduce((sum, it) => sum + it, 0) - room;
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= LEAST_COLUMN) break;
    const second = Math.max(LEAST_COLUMN, ...widths.filter((it) => it < widest));
    const sharing = widths.filter((it) => it === widest).length;
    const step = Math.max(1, Math.min(widest - second, Math.ceil(excess / sharing)));
    for (let index = 0; index < widths.length && excess > 0; index++) {
      if (widths[index] !== widest) continue;
      const taken = Math.min(step, widest - LEAST_COLUMN, excess);
      widths[index] = widest - taken;
      excess -= taken;
    }
  }
  return widths;
}

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** An escape sequence in somebody's event must not reach the terminal. */
function showControls(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (control) => escapes[control] ?? `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
