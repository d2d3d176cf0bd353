/** Loss and accuracy while training. */
import uPlot from 'uplot';

const HEIGHT = 280;
/** uPlot's enum of sides is a type alone: its values are not there at run time. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
const RIGHT = 1 as uPlot.Axis.Side;

export class TrainingChart {
  readonly #plot: uPlot;
  #steps: number[] = [];
  #losses: number[] = [];
  #accuracies: (number | null)[] = [];

  constructor(element: HTMLElement) {
    const options: uPlot.Options = {
      width: element.clientWidth,
      height: HEIGHT,
      legend: { live: false },
      scales: { x: { time: false }, accuracy: { range: [0, 100] } },
      axes: [
        { label: 'step' },
        { label: 'loss' },
        { label: 'accuracy, %', scale: 'accuracy', side: RIGHT, grid: { show: false } },
      ],
      series: [
        { label: 'step' },
        { label: 'loss', stroke: '#8aa4dd' },
        { label: 'accuracy on test images', stroke: '#2456c8', width: 2, scale: 'accuracy', spanGaps: true },
      ],
    };
    this.#plot = new uPlot(options, this.data(), element);
    new ResizeObserver(() => this.#plot.setSize({ width: element.clientWidth, height: HEIGHT })).observe(
      element,
    );
  }

  /** A step with its loss; the accuracy in percent where it was measured. */
  add(step: number, loss: number, accuracy: number | null): void {
    this.#steps.push(step);
    this.#losses.push(loss);
    this.#accuracies.push(accuracy);
    this.#plot.setData(this.data());
  }

  clear(): void {
    [this.#steps, this.#losses, this.#accuracies] = [[], [], []];
    this.#plot.setData(this.data());
  }

  private data(): uPlot.AlignedData {
    return [this.#steps, this.#losses, this.#accuracies];
  }
}
