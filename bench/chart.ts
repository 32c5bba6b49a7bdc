/** The ratios of a run as a picture, on a logarithmic scale: to the left of 1 eventsrc is slower, to the right faster. */
import { rowIds } from './rows.ts';
import type { RowId } from './rows.ts';
import type { RowResult } from './measure-row.ts';

interface Chart {
  setOption(option: object): void;
  renderToSVGString(): string;
  dispose(): void;
}

/** What the bench uses of `echarts`, whose own types are there only once it is installed. */
export interface Echarts {
  init(dom: null, theme: null, options: object): Chart;
}

interface Bar {
  readonly name: string;
  readonly ratio: number;
  readonly isRaw: boolean;
}

const width = 900;
const barHeight = 20;
const margins = { top: 64, bottom: 40 };
const colours = { raw: '#8da3b8', peer: '#3a7d5c' };

export function drawChart(echarts: Echarts, results: readonly { readonly id: string }[]): string {
  const rows = results.filter((result): result is RowResult => rowIds.includes(result.id as RowId));
  const bars = rows.flatMap(({ id, against }) =>
    // What is compared with ourselves is no opponent.
    against
      .filter(({ name }) => !name.startsWith('eventsrc'))
      .map(({ name, ratio }): Bar => ({ name: `${id}  ·  ${name}`, ratio, isRaw: name.startsWith('raw') })),
  );
  const height = margins.top + margins.bottom + bars.length * barHeight;
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption(optionOf(bars));
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

function optionOf(bars: readonly Bar[]): object {
  const series = (name: string, isRaw: boolean) => ({
    name,
    type: 'bar',
    // One place for both kinds: each bar belongs to one of them.
    stack: 'ratio',
    barWidth: '62%',
    itemStyle: { color: isRaw ? colours.raw : colours.peer },
    data: bars.map((bar) => (bar.isRaw === isRaw ? labelled(Math.log10(bar.ratio), bar.ratio) : null)),
  });
  return {
    animation: false,
    backgroundColor: '#ffffff',
    title: { text: 'Events per second, eventsrc against …', left: 'center', textStyle: { fontSize: 15 } },
    legend: { top: 30, itemGap: 40 },
    grid: { ...margins, left: 350, right: 60 },
    xAxis: {
      type: 'value',
      min: Math.floor(Math.min(...bars.map(({ ratio }) => Math.log10(ratio)))),
      interval: 1,
      axisLabel: { formatter: (exponent: number) => `${10 ** exponent}×` },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: bars.map(({ name }) => name),
      axisLabel: { fontSize: 11, interval: 0 },
      axisTick: { show: false },
      axisLine: { onZero: false, show: false },
    },
    series: [series('the raw limit', true), series('what a user might pick instead', false)],
  };
}

function labelled(value: number, ratio: number): object {
  const text = `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2)}×`;
  return { value, label: { show: true, position: value < 0 ? 'left' : 'right', formatter: text, fontSize: 11 } };
}
