// The data_visualization block: its title, legend and data table. The drawing itself is in chart_draw.tsx.
import { useId } from "react";
import type { Block } from "../types.ts";
import { Cartesian, Pie } from "./chart_draw.tsx";

export interface Point {
  label: string;
  value: number;
}

export interface Series {
  name: string;
  data: Point[];
}

export interface Chart {
  type: string;
  series?: Series[];
  segments?: Point[];
  axis_config?: { categories?: string[]; x_label?: string; y_label?: string };
}

export interface ChartBlock extends Block {
  title?: string;
  chart?: Chart;
}

export const chartNumber = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

/** categoriesOf gives the labels of the x axis in order. */
export function categoriesOf(c: Chart): string[] {
  return c.axis_config?.categories ?? c.series?.[0]?.data.map((p) => p.label) ?? [];
}

/** Swatch shows the colour of a series, and its shape for those who don't see the colour. */
function Legend({ names }: { names: string[] }) {
  return (
    <ul className="legend" aria-hidden="true">
      {names.map((name, i) => (
        <li key={i}><span className={`swatch s${i % 12}`} />{name}</li>
      ))}
    </ul>
  );
}

export function DataVisualization({ block }: { block: ChartBlock }) {
  const title = useId();
  const chart = block.chart;
  if (!chart) return <div className="unsupported">data_visualization without a chart</div>;
  const pie = chart.type === "pie";
  const segments = chart.segments ?? [];
  const series = chart.series ?? [];
  const total = segments.reduce((n, s) => n + s.value, 0) || 1;
  const names = pie
    ? segments.map((s) => `${s.label} — ${chartNumber.format(s.value)} (${Math.round((s.value / total) * 100)}%)`)
    : series.map((s) => s.name);
  return (
    <figure className="chart" data-testid="chart" aria-labelledby={title}>
      <figcaption id={title}>{block.title ?? "Chart"}</figcaption>
      <div className={pie ? "chart-body pie" : "chart-body"}>
        {pie ? <Pie segments={segments} /> : <Cartesian chart={chart} />}
        {(pie || names.length > 1) && <Legend names={names} />}
      </div>
      {pie ? <SegmentTable title={block.title} segments={segments} /> : <SeriesTable title={block.title} chart={chart} series={series} />}
    </figure>
  );
}

function SegmentTable({ title, segments }: { title: string | undefined; segments: Point[] }) {
  return (
    <table className="visually-hidden">
      <caption>Data of {title}</caption>
      <thead><tr><th scope="col">Segment</th><th scope="col">Value</th></tr></thead>
      <tbody>{segments.map((s, i) => <tr key={i}><th scope="row">{s.label}</th><td>{chartNumber.format(s.value)}</td></tr>)}</tbody>
    </table>
  );
}

function SeriesTable({ title, chart, series }: { title: string | undefined; chart: Chart; series: Series[] }) {
  return (
    <table className="visually-hidden">
      <caption>Data of {title}</caption>
      <thead>
        <tr>
          <th scope="col">{chart.axis_config?.x_label ?? "Category"}</th>
          {series.map((s, i) => <th key={i} scope="col">{s.name}</th>)}
        </tr>
      </thead>
      <tbody>
        {categoriesOf(chart).map((c, i) => (
          <tr key={i}>
            <th scope="row">{c}</th>
            {series.map((s, j) => <td key={j}>{chartNumber.format(s.data.find((p) => p.label === c)?.value ?? 0)}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
