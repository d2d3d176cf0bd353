// Draws the log of a training run as an SVG: loss and accuracy over the steps, each as it came (pale) and smoothed.
//
//   npm run mnist -- --log out/mnist/log.jsonl
//   node scripts/plotLoss.mjs out/mnist/log.jsonl docs/images/mnist.svg "MNIST, batch 100"
//
// The log has one JSON object a line: {"step":1,"loss":2.3,"accuracy":0.1}.
import { readFileSync, writeFileSync } from 'node:fs';

const WIDTH = 760;
const HEIGHT = 300;
const PANEL = { top: 54, width: 310, height: 190 };
/** How much of the smoothed value a new step leaves as it was. */
const KEEP = 0.9;
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];

const PANELS = [
  { left: 55, title: 'loss', color: '#c2410c', value: ({ loss }) => loss, label: (x) => x.toFixed(2) },
  {
    left: 430,
    title: 'accuracy on the batch',
    color: '#1d4ed8',
    value: ({ accuracy }) => accuracy,
    top: 1,
    label: (x) => `${Math.round(100 * x)}%`,
  },
];

/** The steps of a log. Throws naming the line that is none. */
function readLog(path) {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  return lines.map((line, i) => {
    const { step, loss, accuracy } = JSON.parse(line);
    if (![step, loss, accuracy].every(Number.isFinite))
      throw new Error(`${path}:${i + 1}: step, loss and accuracy have to be numbers`);
    return { step, loss, accuracy };
  });
}

/** Exponential moving averages, corrected for starting from nothing. */
function smooth(values) {
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    sum = KEEP * sum + (1 - KEEP) * value;
    weight = KEEP * weight + (1 - KEEP);
    return sum / weight;
  });
}

function drawPanel(log, { left, title, color, value, label, top }) {
  const values = log.map(value);
  const [first, last] = [log[0].step, log.at(-1).step];
  const highest = top ?? Math.max(0.5, Math.ceil(2 * Math.max(...values)) / 2);
  const x = (step) => left + (PANEL.width * (step - first)) / Math.max(1, last - first);
  const y = (v) => PANEL.top + PANEL.height * (1 - v / highest);
  const line = (numbers, style) => {
    const points = numbers.map((v, i) => `${x(log[i].step).toFixed(1)},${y(v).toFixed(1)}`);
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${color}" ${style}/>`;
  };
  const rows = TICKS.map((part) => part * highest).map(
    (v) => `<path d="M${left} ${y(v).toFixed(1)}h${PANEL.width}" stroke="#e5e7eb"/>
<text x="${left - 8}" y="${(y(v) + 4).toFixed(1)}" text-anchor="end">${label(v)}</text>`,
  );
  const bottom = PANEL.top + PANEL.height + 20;
  const columns = [first, Math.floor((first + last) / 2), last].map(
    (step) => `<text x="${x(step).toFixed(1)}" y="${bottom}" text-anchor="middle">${step}</text>`,
  );
  return [
    `<text x="${left}" y="${PANEL.top - 12}" class="title">${title}</text>`,
    ...rows,
    ...columns,
    line(values, 'stroke-width="1" stroke-opacity="0.3"'),
    line(smooth(values), 'stroke-width="2"'),
  ].join('\n');
}

function escape(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}

function draw(log, title) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#374151">
<style>.title { font-size: 13px; font-weight: bold; }</style>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>
<text x="${WIDTH / 2}" y="20" text-anchor="middle">${escape(title)}</text>
${PANELS.map((panel) => drawPanel(log, panel)).join('\n')}
<text x="${WIDTH / 2}" y="${HEIGHT - 10}" text-anchor="middle">step</text>
</svg>
`;
}

const [source, target, title = 'Training'] = process.argv.slice(2);
if (source === undefined || target === undefined) {
  console.error('usage: node scripts/plotLoss.mjs LOG.jsonl PICTURE.svg [TITLE]');
  process.exitCode = 2;
} else {
  writeFileSync(target, draw(readLog(source), title));
}
