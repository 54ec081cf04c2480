// Numbers of a chart: round axis ticks, stacking, slices. Pure functions.

/** ticks gives round values that cover the data and zero, about four steps apart. */
export function ticks(min: number, max: number): number[] {
  const low = Math.min(0, min);
  const high = Math.max(0, max) || (low < 0 ? 0 : 1);
  const raw = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 2.5, 5, 10].find((m) => m * power >= raw) ?? 10) * power;
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

export interface Slice {
  start: number;
  end: number;
  share: number;
}

/** slices turns values into parts of a circle, in radians from the top, clockwise. */
export function slices(values: number[]): Slice[] {
  const total = values.reduce((a, b) => a + Math.max(0, b), 0) || 1;
  let at = 0;
  return values.map((v) => {
    const share = Math.max(0, v) / total;
    const start = at;
    at += share * 2 * Math.PI;
    return { start, end: at, share };
  });
}

/** arc is the SVG path of a slice of a circle with its middle at 0,0. */
export function arc({ start, end }: Slice, r: number): string {
  const point = (a: number) => `${(r * Math.sin(a)).toFixed(2)} ${(-r * Math.cos(a)).toFixed(2)}`;
  if (end - start > 2 * Math.PI - 1e-6) return `M0 ${-r}A${r} ${r} 0 1 1 -0.01 ${-r}Z`;
  return `M0 0L${point(start)}A${r} ${r} 0 ${end - start > Math.PI ? 1 : 0} 1 ${point(end)}Z`;
}

/** every tells how many category labels to step over so that those shown have room. */
export function every(labels: string[], width: number): number {
  const longest = labels.reduce((n, l) => Math.max(n, l.length), 1);
  return Math.max(1, Math.ceil((labels.length * (longest * 6.6 + 10)) / width));
}
