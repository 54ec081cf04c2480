import assert from "node:assert/strict";
import { test } from "node:test";
import { arc, every, slices, ticks } from "./blocks/chart_scale.ts";
import { slackDate } from "./blocks/date.ts";
import { timesIn } from "./times.ts";
import { cellText, columnWidth, matching, nextSort, pageOf, sorted, type Cell } from "./blocks/table_logic.ts";
import { initialValues } from "./blocks/values.ts";

const text = (t: string): Cell => ({ type: "raw_text", text: t });
const number = (value: number, shown?: string): Cell => ({ type: "raw_number", value, ...(shown && { text: shown }) });
const rows: Cell[][] = [
  [text("KB9"), number(100, "1e2"), { type: "action_cell", element: { type: "button", text: { type: "plain_text", text: "Open" } } }],
  [text("kb10"), number(-5), { type: "action_cell", fallback: text("later") }],
  [text("KB1"), number(20), { type: "rich_text", elements: [{ elements: [{ type: "text", text: "a" }, { type: "link", url: "https://x", text: "b" }] }] }],
];
const first = (r: Cell[][]) => r.map((c) => c[0]?.text);

test("a column of numbers sorts by number, others by text; the third click gives the app's order back", () => {
  const up = nextSort(null, 1);
  assert.deepEqual(first(sorted(rows, up)), ["kb10", "KB1", "KB9"]);
  const down = nextSort(up, 1);
  assert.deepEqual(first(sorted(rows, down)), ["KB9", "KB1", "kb10"]);
  assert.equal(nextSort(down, 1), null);
  assert.deepEqual(first(sorted(rows, null)), ["KB9", "kb10", "KB1"]);
  assert.deepEqual(first(sorted(rows, nextSort(down, 0))), ["KB1", "kb10", "KB9"]);
  const mixed = [...rows, [text("KB5"), text("7"), text("")]];
  assert.deepEqual(first(sorted(mixed, up)), ["kb10", "KB9", "KB1", "KB5"]); // "-5", "1e2", "20", "7"
});

test("the filter finds every word in any cell, buttons and rich text too", () => {
  assert.deepEqual(rows[2]?.map(cellText), ["KB1", "20", "ab"]);
  assert.deepEqual(first(matching(rows, "OPEN kb9")), ["KB9"]);
  assert.deepEqual(first(matching(rows, "later")), ["kb10"]);
  assert.deepEqual(first(matching(rows, "  ")), ["KB9", "kb10", "KB1"]);
  assert.equal(matching(rows, "open later").length, 0);
});

test("pages tell which rows they hold; beyond the end is the last one", () => {
  const many = Array.from({ length: 37 }, (_, i) => [text(String(i))]);
  const shape = (i: number, size = 10) => {
    const { rows: r, ...rest } = pageOf(many, i, size);
    return { ...rest, rows: r.length };
  };
  assert.deepEqual(shape(0), { index: 0, count: 4, first: 1, last: 10, rows: 10 });
  assert.deepEqual(shape(9), { index: 3, count: 4, first: 31, last: 37, rows: 7 });
  assert.deepEqual(pageOf([], 2, 10), { rows: [], index: 0, count: 1, first: 0, last: 0 });
});

test("a column is as wide as its longest text, up to a bound", () => {
  assert.equal(columnWidth(rows, 0), "4ch");
  assert.equal(columnWidth([[text("x".repeat(90))]], 0), "22ch");
});

test("ticks are round, cover the data and zero", () => {
  assert.deepEqual(ticks(0, 700), [0, 200, 400, 600, 800]);
  assert.deepEqual(ticks(-5, 12), [-5, 0, 5, 10, 15]);
  assert.deepEqual(ticks(0, 0.3), [0, 0.1, 0.2, 0.3]);
  assert.deepEqual(ticks(0, 0), [0, 0.25, 0.5, 0.75, 1]);
});

test("slices fill the circle; a whole one is still drawn", () => {
  const got = slices([1, 1, 2]);
  assert.deepEqual(got.map((s) => s.share), [0.25, 0.25, 0.5]);
  assert.ok(Math.abs((got[2]?.end ?? 0) - 2 * Math.PI) < 1e-9);
  assert.match(arc(slices([5])[0] ?? assert.fail(), 100), /^M0 -100A100 100 0 1 1/);
});

test("labels that have no room are stepped over", () => {
  assert.equal(every(["W1", "W2"], 600), 1);
  assert.equal(every(Array.from({ length: 20 }, () => "2026-11-23"), 600), 3);
});

test("date tokens are filled in the reader's zone, relative to the workspace's day", () => {
  const at = new Date("2026-11-23T23:30:00Z"); // the 24th in Stockholm
  const on = (format: string, now: string) => slackDate(at, format, new Date(now), timesIn("Europe/Stockholm"));
  assert.equal(on("{date_num} {time}", "2026-01-01T00:00:00Z"), "2026-11-24 12:30 AM".replace(" ", " "));
  assert.equal(on("{date_short_pretty}", "2026-11-24T08:00:00Z"), "today");
  assert.equal(on("{date_long_pretty}", "2026-11-25T08:00:00Z"), "yesterday");
  assert.equal(on("{date_pretty}", "2026-11-30T08:00:00Z"), "November 24, 2026");
  assert.equal(on("{ago}", "2026-11-24T01:35:00Z"), "2 hours ago");
  assert.equal(on("{nonsense}", "2026-11-24T01:35:00Z"), "{nonsense}");
});

test("times are those of the zone, wherever the computer is; an unknown zone is the computer's", () => {
  const at = new Date("2026-11-23T23:30:00Z");
  assert.equal(timesIn("America/New_York").dayKey(at), "2026-11-23");
  assert.equal(timesIn("Asia/Tokyo").dayKey(at), "2026-11-24");
  assert.match(timesIn("Asia/Tokyo").timeOfDay(at), /^8:30/);
  assert.equal(slackDate(at, "{date_num} {time}", at, timesIn("Asia/Tokyo")).replace("\u202f", " "), "2026-11-24 8:30 AM");
  assert.equal(slackDate(at, "{date_short_pretty}", new Date("2026-11-24T06:00:00Z"), timesIn("America/New_York")), "yesterday");
  assert.equal(timesIn("Nowhere/At_All").timeOfDay(at), timesIn(undefined).timeOfDay(at));
});

test("state.values starts with what the blocks say, also inside of layouts and containers", () => {
  const input = { type: "input", block_id: "b", element: { type: "plain_text_input", action_id: "a", initial_value: "x" } };
  const select = { type: "section", block_id: "s", accessory: { type: "static_select", action_id: "m" } };
  const button = { type: "actions", block_id: "c", elements: [{ type: "button", action_id: "go" }] };
  const want = { b: { a: { type: "plain_text_input", value: "x" } }, s: { m: { type: "static_select", selected_option: null } } };
  assert.deepEqual(initialValues([input, select, button]), want);
  assert.deepEqual(initialValues([{ type: "container", child_blocks: [input] }, { type: "layout", rows: [{ items: [{ block: select }] }] }]), want);
});
