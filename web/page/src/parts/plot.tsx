import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useStore } from "../store";
import { colour, isDark, theme } from "./theme";

export interface Line {
  readonly name: string;
  /** A colour of style.css: "in", "out", "error" … */
  readonly colour: string;
  readonly values: readonly (number | null)[];
}

export interface PlotProps {
  readonly title: string;
  readonly unit: string;
  /** Seconds since 1970, rising. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  /** Plots of the same group have one cursor. */
  readonly group: string;
  /** Of the y axis; without it as the values are, from 0. */
  readonly range?: readonly [number, number];
  readonly height?: number;
}

function optionsOf(props: PlotProps, width: number): uPlot.Options {
  const dim = colour("dim");
  const grid = { stroke: colour("line"), width: 1 };
  return {
    width,
    height: props.height ?? 120,
    padding: [6, 26, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: props.group }, y: false, points: { size: 5 } },
    scales: {
      x: { time: true },
      y: { range: props.range ? [props.range[0], props.range[1]] : (_plot, _min, max) => [0, Math.max(1, (max ?? 0) * 1.15)] },
    },
    axes: [
      { stroke: dim, grid, ticks: { show: false }, size: 22, font: "11px system-ui", values: [[60, "{HH}:{mm}", null, null, null, null, null, null, 1], [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]] },
      { stroke: dim, grid, ticks: { show: false }, size: 42, font: "11px system-ui", splits: undefined as never },
    ].map((axis) => Object.fromEntries(Object.entries(axis).filter(([, value]) => value !== undefined))) as uPlot.Axis[],
    series: [
      {},
      ...props.lines.map(({ name, colour: of }) => ({ label: name, stroke: colour(of), width: 1.5, points: { show: false }, spanGaps: false })),
    ],
  };
}

/** A pane of curves over time; the values at the cursor, else the last ones, stand in its title. */
export function Plot(props: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>();
  const readings = useRef<(HTMLSpanElement | null)[]>([]);
  useStore(theme);
  const dark = isDark();
  const shape = props.lines.map(({ name }) => name).join();

  const tell = (at: number | null | undefined) => {
    const made = plot.current;
    if (!made) return;
    props.lines.forEach(({ name }, index) => {
      const values = made.data[index + 1] ?? [];
      const value = values[at ?? values.length - 1];
      const place = readings.current[index];
      if (place) place.textContent = `${name} ${value === null || value === undefined ? "–" : Number(value.toFixed(1))}`;
    });
  };

  useEffect(() => {
    const place = box.current;
    if (!place) return undefined;
    const options = optionsOf(props, place.clientWidth);
    options.hooks = { setCursor: [(made) => tell(made.cursor.idx)] };
    const made = new uPlot(options, [[...props.times], ...props.lines.map(({ values }) => [...values])] as uPlot.AlignedData, place);
    plot.current = made;
    tell(undefined);
    const watcher = new ResizeObserver(() => made.setSize({ width: place.clientWidth, height: options.height }));
    watcher.observe(place);
    return () => {
      watcher.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [dark, shape, props.group]);

  useEffect(() => {
    plot.current?.setData([[...props.times], ...props.lines.map(({ values }) => [...values])] as uPlot.AlignedData);
    tell(plot.current?.cursor.idx);
  }, [props.times, props.lines]);

  return (
    <figure class="plot">
      <figcaption>
        <strong>{props.title}</strong> <span class="dim">{props.unit}</span>
        <span class="plot-readings">
          {props.lines.map(({ name, colour: of }, index) => (
            <span key={name} class={`reading ${of}`} ref={(place) => void (readings.current[index] = place)} />
          ))}
        </span>
      </figcaption>
      <div ref={box} role="img" aria-label={`${props.title}, ${props.unit}, over the last minutes`} />
    </figure>
  );
}
