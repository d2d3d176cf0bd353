/** The page: buttons, chart and drawing around the network of `digits.ts`. `npm run web` serves it. */
import { Digits } from './digits.js';
import { Pad } from './pad.js';
import { TrainingChart } from './chart.js';

function element<T extends HTMLElement>(id: string, Kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof Kind)) throw new Error(`the page has no ${Kind.name} "${id}"`);
  return found;
}

const button = (id: string): HTMLButtonElement => element(id, HTMLButtonElement);
const status = element('status', HTMLParagraphElement);
const progress = element('progress', HTMLParagraphElement);
const probabilities = element('probabilities', HTMLOListElement);
const trainButton = button('train');
const weightsInput = element('load-weights', HTMLInputElement);
const chart = new TrainingChart(element('chart', HTMLDivElement));
const pad = new Pad(element('pad', HTMLCanvasElement), () => void answer());

let digits: Digits | null = null;
let training = false;
let answering = false;
/** The drawing or the network changed since the last answer. */
let stale = false;

function say(text: string, failed = false): void {
  status.textContent = text;
  status.classList.toggle('failed', failed);
}

/** Runs what a button asks for; what goes wrong stands at the top of the page. */
async function attempt(task: () => Promise<void>): Promise<void> {
  try {
    await task();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error), true);
  }
}

async function train(network: Digits): Promise<void> {
  training = !training;
  trainButton.textContent = training ? 'Pause' : 'Train';
  const started = performance.now();
  let steps = 0;
  while (training) {
    const { step, loss, accuracy } = await network.train();
    chart.add(step, loss, accuracy);
    const rate = (performance.now() - started) / ++steps;
    progress.textContent = `step ${step}, loss ${loss.toFixed(3)}, ${rate.toFixed(0)} ms a step`;
    if (accuracy !== null) await answer();
  }
}

/** Shows what the network sees in the drawing; what is drawn while it computes has its turn after that. */
async function answer(): Promise<void> {
  stale = true;
  if (answering) return;
  answering = true;
  probabilities.ariaBusy = 'true';
  await attempt(async () => {
    while (stale) {
      stale = false;
      const pixels = pad.pixels();
      show(digits === null || pixels === null ? [] : await digits.classify(pixels));
    }
  });
  probabilities.ariaBusy = 'false';
  answering = false;
}

function show(values: readonly number[]): void {
  const best = values.indexOf(Math.max(...values));
  Array.from(probabilities.children).forEach((item, digit) => {
    const share = values[digit] ?? 0;
    item.classList.toggle('best', digit === best);
    item.innerHTML = `<span style="--share: ${share.toFixed(3)}"></span>${values.length === 0 ? '' : `${(100 * share).toFixed(0)}%`}`;
  });
}

function download(bytes: Uint8Array, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([new Uint8Array(bytes)]));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function reset(network: Digits): Promise<void> {
  training = false;
  trainButton.textContent = 'Train';
  await network.reset();
  chart.clear();
  progress.textContent = '';
  await answer();
}

async function load(network: Digits): Promise<void> {
  const file = weightsInput.files?.[0];
  if (file === undefined) return;
  await network.load(new Uint8Array(await file.arrayBuffer()));
  say(`Weights of ${file.name}, on ${network.adapter}`);
  weightsInput.value = '';
  await answer();
}

function enable(network: Digits): void {
  const actions: Readonly<Record<string, () => Promise<void>>> = {
    train: () => train(network),
    reset: () => reset(network),
    'save-graph': async () => download(await network.frozen(), 'digits.pb'),
    'save-weights': async () => download(await network.weights(), 'digits.safetensors'),
  };
  for (const [id, action] of Object.entries(actions)) {
    button(id).disabled = false;
    button(id).addEventListener('click', () => void attempt(action));
  }
  weightsInput.disabled = false;
  weightsInput.addEventListener('change', () => void attempt(() => load(network)));
}

probabilities.append(...Array.from({ length: 10 }, () => document.createElement('li')));
show([]);
button('clear').addEventListener('click', () => {
  pad.clear();
  void answer();
});
await attempt(async () => {
  digits = await Digits.open('mnist');
  say(`Ready, on ${digits.adapter}`);
  enable(digits);
});
