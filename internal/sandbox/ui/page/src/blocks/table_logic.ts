// What a data_table shows: sorting, filtering, paging. Pure functions over its rows.
import type { Block, Element } from "../types.ts";

export interface Cell {
  type: string;
  text?: string;
  value?: number;
  element?: Element;
  elements?: unknown[];
  fallback?: Cell;
}

export interface Table extends Block {
  caption?: string;
  page_size?: number;
  row_header_column_index?: number;
  rows?: Cell[][];
}

export type Direction = "ascending" | "descending";
export interface Sort {
  column: number;
  direction: Direction;
}

/** Slack's page size for a table that names none. */
export const defaultPageSize = 5;

/** cellText is what a cell reads as, for filtering and sorting. */
export function cellText(c: Cell | undefined): string {
  if (!c) return "";
  switch (c.type) {
    case "raw_number":
      return c.text ?? String(c.value ?? "");
    case "rich_text":
      return richText(c.elements);
    case "action_cell":
      return c.element?.text?.text ?? cellText(c.fallback);
    default:
      return c.text ?? "";
  }
}

function richText(elements: unknown): string {
  if (!Array.isArray(elements)) return "";
  return (elements as Record<string, unknown>[])
    .map((e) => (Array.isArray(e["elements"]) ? richText(e["elements"]) : String(e["text"] ?? e["url"] ?? e["name"] ?? "")))
    .join("");
}

/** isNumeric tells whether every cell of a column is a number; only then it sorts by number. */
export function isNumeric(rows: Cell[][], column: number): boolean {
  return rows.length > 0 && rows.every((r) => r[column]?.type === "raw_number");
}

/** isAction tells whether a column holds buttons only; sorting those says nothing. */
export function isAction(rows: Cell[][], column: number): boolean {
  return rows.length > 0 && rows.every((r) => r[column]?.type === "action_cell");
}

/** The widest a column is made before its text wraps, in characters. */
const wrapAt = 22;

/** columnWidth keeps a column from being squeezed to its longest word. */
export function columnWidth(rows: Cell[][], column: number): string {
  const longest = rows.reduce((n, r) => Math.max(n, cellText(r[column]).length), 0);
  return `${Math.min(longest, wrapAt)}ch`;
}

/** nextSort is what a click on a column's heading does: up, down, then as the app sent it. */
export function nextSort(now: Sort | null, column: number): Sort | null {
  if (now?.column !== column) return { column, direction: "ascending" };
  return now.direction === "ascending" ? { column, direction: "descending" } : null;
}

const collator = new Intl.Collator(undefined, { sensitivity: "base" });

/** sorted gives the rows in order. Rows that are equal keep the app's order in both directions. */
export function sorted(rows: Cell[][], sort: Sort | null): Cell[][] {
  if (!sort) return rows;
  const { column, direction } = sort;
  const sign = direction === "ascending" ? 1 : -1;
  const numeric = isNumeric(rows, column);
  return rows.toSorted((a, b) =>
    sign * (numeric
      ? (a[column]?.value ?? 0) - (b[column]?.value ?? 0)
      : collator.compare(cellText(a[column]), cellText(b[column]))),
  );
}

/** matching keeps the rows that hold every word of the query in some cell. */
export function matching(rows: Cell[][], query: string): Cell[][] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return rows;
  return rows.filter((r) => {
    const text = r.map(cellText).join("\n").toLowerCase();
    return words.every((w) => text.includes(w));
  });
}

export interface Page {
  rows: Cell[][];
  index: number;
  count: number;
  /** The first and last row shown, counted from one; zero when there is none. */
  first: number;
  last: number;
}

/** pageOf cuts a page out; an index beyond the end gives the last page. */
export function pageOf(rows: Cell[][], index: number, size: number): Page {
  const count = Math.max(1, Math.ceil(rows.length / size));
  const at = Math.min(Math.max(index, 0), count - 1);
  const part = rows.slice(at * size, (at + 1) * size);
  return { rows: part, index: at, count, first: part.length ? at * size + 1 : 0, last: at * size + part.length };
}
