// Plots as SVG text, in a light and a dark variant.

/** A colour scheme of a page. */
export type Scheme = 'light' | 'dark';

/** The bars of one row. */
export interface BarGroup {
  readonly label: string;
  readonly bars: readonly {
    readonly name: string;
    readonly value: number;
    readonly text: string;
  }[];
}

/** A line through points; both axes are logarithmic, so that a straight line is a power. */
export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const COLOURS = {
  light: { text: '#1f2328', faint: '#d1d9e0', bars: ['#0969da', '#8c959f', '#bc4c00'] },
  dark: { text: '#e6edf3', faint: '#3d444d', bars: ['#4493f8', '#7d8590', '#e0823d'] },
} as const;
const FONT = 'font-family="system-ui, sans-serif" font-size="12"';

/** Horizontal bars; each group has its own scale, because the units differ. */
export function barPlot(title: string, groups: readonly BarGroup[], scheme: Scheme): string {
  const [width, left, right, bar, gap] = [820, 330, 150, 14, 12];
  const colours = COLOURS[scheme];
  const parts: string[] = [];
  let y = 56;
  const names = [...new Set(groups.flatMap((group) => group.bars.map(({ name }) => name)))];
  names.forEach((name, index) => {
    parts.push(rectangle(left + index * 150, 30, 10, 10, colourOf(colours.bars, index)));
    parts.push(text(left + index * 150 + 16, 39, name, colours.text));
  });
  for (const group of groups) {
    const largest = Math.max(...group.bars.map(({ value }) => value), Number.MIN_VALUE);
    const middle = y + (group.bars.length * bar) / 2 + 4;
    parts.push(text(left - 10, middle, group.label, colours.text, 'end'));
    for (const { name, value, text: label } of group.bars) {
      const length = Math.max(1, ((width - left - right) * Math.max(0, value)) / largest);
      parts.push(rectangle(left, y, length, bar - 2, colourOf(colours.bars, names.indexOf(name))));
      parts.push(text(left + length + 6, y + bar - 3, label, colours.text));
      y += bar;
    }
    y += gap;
  }
  return document(width, y, title, colours.text, parts);
}

/** Lines over logarithmic axes. */
export function linePlot(
  title: string,
  series: readonly Series[],
  axes: { readonly x: string; readonly y: string },
  scheme: Scheme,
): string {
  const [width, height, left, bottom, top] = [820, 320, 80, 60, 56];
  const colours = COLOURS[scheme];
  const points = series.flatMap((one) => one.points);
  const [xs, ys] = [decades(points.map(({ x }) => x)), decades(points.map(({ y }) => y))];
  const xOf = scale(xs, left, width - 40);
  const yOf = scale(ys, height - bottom, top);
  const parts: string[] = [];
  for (const x of xs) {
    parts.push(line(xOf(x), top, xOf(x), height - bottom, colours.faint));
    parts.push(text(xOf(x), height - bottom + 18, tick(x), colours.text, 'middle'));
  }
  for (const y of ys) {
    parts.push(line(left, yOf(y), width - 40, yOf(y), colours.faint));
    parts.push(text(left - 8, yOf(y) + 4, tick(y), colours.text, 'end'));
  }
  parts.push(text((left + width - 40) / 2, height - 18, axes.x, colours.text, 'middle'));
  parts.push(text(8, top - 10, axes.y, colours.text));
  series.forEach(({ name, points: own }, index) => {
    const colour = colourOf(colours.bars, index);
    const path = own.map(({ x, y }) => `${round(xOf(x))},${round(yOf(y))}`).join(' ');
    parts.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const { x, y } of own)
      parts.push(`<circle cx="${round(xOf(x))}" cy="${round(yOf(y))}" r="3" fill="${colour}"/>`);
    parts.push(rectangle(left + 140 + index * 160, 30, 10, 10, colour));
    parts.push(text(left + 156 + index * 160, 39, name, colours.text));
  });
  return document(width, height, title, colours.text, parts);
}

/** The powers of ten around all positive `values`. */
function decades(values: readonly number[]): number[] {
  const logs = values.filter((value) => value > 0).map((value) => Math.log10(value));
  if (logs.length === 0) return [1, 10];
  const first = Math.floor(Math.min(...logs) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(Math.max(...logs) - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
}

function scale(ticks: readonly number[], from: number, to: number): (value: number) => number {
  const [low, high] = [Math.log10(ticks[0] ?? 1), Math.log10(ticks.at(-1) ?? 10)];
  return (value) =>
    from + ((to - from) * (Math.log10(Math.max(value, 10 ** low)) - low)) / (high - low);
}

const colourOf = (colours: readonly string[], index: number): string =>
  colours[Math.max(0, index) % colours.length] ?? '#888888';
const round = (value: number): string => String(Math.round(value * 10) / 10);
const tick = (value: number): string =>
  value >= 1 ? value.toLocaleString('en-US') : String(Number(value.toPrecision(1)));
const escape = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function rectangle(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${height}" fill="${fill}"/>`;
}

function line(x1: number, y1: number, x2: number, y2: number, stroke: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${stroke}"/>`;
}

function text(x: number, y: number, value: string, fill: string, anchor = 'start'): string {
  return `<text x="${round(x)}" y="${round(y)}" fill="${fill}" text-anchor="${anchor}">${escape(value)}</text>`;
}

function document(
  width: number,
  height: number,
  title: string,
  colour: string,
  parts: readonly string[],
): string {
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const heading = `<text x="8" y="18" fill="${colour}" font-weight="bold">${escape(title)}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${FONT} role="img">
<title>${escape(title)}</title>
${heading}
${parts.join('\n')}
</svg>
`;
}
