/** Histograms as text: one line of bars, or a bar for each bin. */
import type { Histogram } from '@forerun/session';
import { formatCount } from './format.js';
import { formatNumber } from './values.js';
import type { Terminal } from './terminal.js';

const UNICODE = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII = ['.', ':', '-', '=', '+', '*', '#', '@'];

/** One character for each bin, higher for more; blank where there is nothing. */
export function sparkline({ counts }: Histogram, { unicode }: Pick<Terminal, 'unicode'>): string {
  const levels = unicode ? UNICODE : ASCII;
  const most = Math.max(...counts);
  return counts
    .map((count) => (count === 0 ? ' ' : (levels[Math.ceil((count / most) * levels.length) - 1] ?? '')))
    .join('');
}

/** A line for each bin: where it begins, a bar, how many. */
export function histogramLines(
  { min, max, counts }: Histogram,
  { unicode, colors, width }: Terminal,
): string[] {
  const most = Math.max(...counts);
  const step = (max - min) / counts.length;
  const labels = counts.map((_, i) => formatNumber(min + i * step));
  const [labelWidth, countWidth] = [
    Math.max(...labels.map((label) => label.length)),
    formatCount(most).length,
  ];
  const room = Math.max(8, Math.min(50, width - labelWidth - countWidth - 6));
  return counts.map((count, i) => {
    const bar = (unicode ? '█' : '#').repeat(Math.round((count / most) * room));
    return `  ${(labels[i] ?? '').padStart(labelWidth)}  ${formatCount(count).padStart(countWidth)}  ${colors.cyan(bar)}`.trimEnd();
  });
}
