// Drawings of charts as SVG. They are hidden from screen readers, which get the data table beside them.
import { useLayoutEffect, useRef, useState, type ReactNode, type RefObject } from "react";
import { categoriesOf, chartNumber, type Chart, type Point, type Series } from "./chart.tsx";
import { arc, every, slices, ticks } from "./chart_scale.ts";

const height = 260;
const left = 52;
const right = 16;
const top = 14;

/** useWidth follows the width of an element, so that a chart's text keeps its size on narrow screens. */
function useWidth(ref: RefObject<Element | null>): number {
  const [width, setWidth] = useState(640);
  useLayoutEffect(() => {
    const el = ref.current;
    if (!el) return;
    const measured = new ResizeObserver(() => setWidth(Math.max(240, Math.round(el.clientWidth))));
    measured.observe(el);
    return () => measured.disconnect();
  }, [ref]);
  return width;
}

interface Plane {
  x(i: number): number;
  y(v: number): number;
  band: number;
  categories: string[];
}

function Tip({ children }: { children: string }) {
  return <title>{children}</title>;
}

export function Cartesian({ chart }: { chart: Chart }) {
  const root = useRef<SVGSVGElement>(null);
  const width = useWidth(root);
  const series = chart.series ?? [];
  const categories = categoriesOf(chart);
  const { x_label: xLabel, y_label: yLabel } = chart.axis_config ?? {};
  const all = series.flatMap((s) => s.data.map((p) => p.value));
  const steps = ticks(Math.min(0, ...all), Math.max(0, ...all));
  const low = steps[0] ?? 0;
  const high = steps.at(-1) ?? 1;
  const bottom = height - (xLabel ? 46 : 28);
  const start = left + (yLabel ? 14 : 0);
  const band = (width - start - right) / Math.max(1, categories.length);
  const plane: Plane = {
    band, categories,
    x: (i) => start + band * (i + 0.5),
    y: (v) => bottom - ((v - low) / (high - low)) * (bottom - top),
  };
  const skip = every(categories, width - start - right);
  return (
    <svg ref={root} viewBox={`0 0 ${width} ${height}`} height={height} className="chart-svg" aria-hidden="true">
      {steps.map((t) => (
        <g key={t}>
          <line className={t === 0 ? "axis" : "grid"} x1={start} x2={width - right} y1={plane.y(t)} y2={plane.y(t)} />
          <text className="tick" x={start - 8} y={plane.y(t) + 4} textAnchor="end">{chartNumber.format(t)}</text>
        </g>
      ))}
      {categories.map((c, i) => i % skip === 0 && (
        <text key={i} className="tick" x={plane.x(i)} y={bottom + 18} textAnchor="middle">{c}</text>
      ))}
      {xLabel && <text className="axis-label" x={(start + width - right) / 2} y={height - 6} textAnchor="middle">{xLabel}</text>}
      {yLabel && (
        <text className="axis-label" transform={`translate(12 ${(top + bottom) / 2}) rotate(-90)`} textAnchor="middle">{yLabel}</text>
      )}
      {chart.type === "bar" ? <Bars series={series} plane={plane} /> : <Lines series={series} plane={plane} area={chart.type === "area"} />}
    </svg>
  );
}

function valueAt(s: Series, category: string): number {
  return s.data.find((p) => p.label === category)?.value ?? 0;
}

function Bars({ series, plane }: { series: Series[]; plane: Plane }) {
  const room = plane.band * 0.74;
  const each = room / Math.max(1, series.length);
  const zero = plane.y(0);
  return (
    <>
      {series.map((s, j) => plane.categories.map((c, i) => {
        const v = valueAt(s, c);
        const y = plane.y(v);
        return (
          <rect
            key={`${j}.${i}`}
            className={`fill s${j % 12}`}
            x={plane.x(i) - room / 2 + each * j + each * 0.04}
            width={each * 0.92}
            y={Math.min(y, zero)}
            height={Math.max(1, Math.abs(y - zero))}
            rx="2"
          >
            <Tip>{`${s.name}, ${c}: ${chartNumber.format(v)}`}</Tip>
          </rect>
        );
      }))}
    </>
  );
}

function Lines({ series, plane, area }: { series: Series[]; plane: Plane; area: boolean }) {
  const zero = plane.y(0);
  const lines: ReactNode[] = series.map((s, j) => {
    const points = plane.categories.map((c, i) => ({ c, v: valueAt(s, c), x: plane.x(i), y: plane.y(valueAt(s, c)) }));
    const line = points.map((p) => `${p.x.toFixed(1)} ${p.y.toFixed(1)}`).join("L");
    const tone = `s${j % 12}`;
    return (
      <g key={j}>
        {area && points.length > 0 && <path className={`area ${tone}`} d={`M${points[0]?.x} ${zero}L${line}L${points.at(-1)?.x} ${zero}Z`} />}
        <path className={`line ${tone}`} d={`M${line}`} />
        {points.map((p, i) => (
          <g key={i}>
            <circle className={`dot ${tone}`} cx={p.x} cy={p.y} r="3.5" />
            <circle className="hit" cx={p.x} cy={p.y} r="12"><Tip>{`${s.name}, ${p.c}: ${chartNumber.format(p.v)}`}</Tip></circle>
          </g>
        ))}
      </g>
    );
  });
  return <>{lines}</>;
}

export function Pie({ segments }: { segments: Point[] }) {
  const parts = slices(segments.map((s) => s.value));
  return (
    <svg viewBox="-104 -104 208 208" className="chart-svg pie" aria-hidden="true">
      {parts.map((p, i) => (
        <path key={i} className={`fill slice s${i % 12}`} d={arc(p, 100)}>
          <Tip>{`${segments[i]?.label}: ${chartNumber.format(segments[i]?.value ?? 0)} (${Math.round(p.share * 100)}%)`}</Tip>
        </path>
      ))}
    </svg>
  );
}
