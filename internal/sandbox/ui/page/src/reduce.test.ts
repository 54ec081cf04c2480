import assert from "node:assert/strict";
import { test } from "node:test";
import { reduce, traceLimit, type Event } from "./reduce.ts";
import { lines } from "./message_list.ts";
import { timesIn } from "./times.ts";
import type { Message, State, TraceEntry } from "./types.ts";

function state(over: Partial<State> = {}): State {
  return {
    team: { id: "T", name: "Sandbox" }, users: [], channels: [], messages: {}, homes: {}, commands: [], clock: "",
    faults: { slow: false }, fault_list: [], connections: 0, trace: [], ...over,
  };
}

function message(ts: string, over: Partial<Message> = {}): Message {
  return { ts, channel: "C", user: "U", text: ts, kind: "person", ...over };
}

const arrive = (m: Message): Event => ({ type: "message", data: { channel: "C", message: m } });
const order = (s: State) => s.messages["C"]?.map((m) => m.ts);

test("messages stand in the order of their timestamps, whenever they arrive", () => {
  const s = [message("3.0"), message("1.0"), message("2.0")].map(arrive).reduce(reduce, state());
  assert.deepEqual(order(s), ["1.0", "2.0", "3.0"]);
});

test("a message that comes again replaces the older one", () => {
  const s = [message("1.0"), message("2.0"), message("1.0", { text: "new", edited: true })].map(arrive).reduce(reduce, state());
  assert.deepEqual(order(s), ["1.0", "2.0"]);
  assert.equal(s.messages["C"]?.[0]?.text, "new");
});

test("a deleted message vanishes; deleting it twice does no harm", () => {
  const gone: Event = { type: "message_deleted", data: { channel: "C", ts: "1.0" } };
  const s = [arrive(message("1.0")), arrive(message("2.0")), gone, gone].reduce(reduce, state());
  assert.deepEqual(order(s), ["2.0"]);
});

test("views stack; an updated view keeps its place; a closed one goes", () => {
  const view = (id: string, hash = ""): Event => ({ type: "view", data: { user: "U", view: { id, type: "modal", blocks: [], hash } } });
  let s = [view("V1"), view("V2"), view("V1", "2")].reduce(reduce, state());
  assert.deepEqual(s.views?.["U"]?.map((v) => v.id + v.hash), ["V12", "V2"]);
  s = reduce(s, { type: "view_closed", data: { user: "U", view_id: "V2" } });
  assert.deepEqual(s.views?.["U"]?.map((v) => v.id), ["V1"]);
});

test("the trace is bounded, ordered and free of doubles", () => {
  const entry = (seq: number): Event => ({ type: "trace", data: { seq, time: "", kind: "ui", name: "", duration_ms: 0 } satisfies TraceEntry });
  let s = state();
  for (let i = 1; i <= traceLimit + 5; i++) s = reduce(s, entry(i));
  s = reduce(s, entry(traceLimit + 5));
  assert.equal(s.trace.length, traceLimit);
  assert.equal(s.trace[0]?.seq, 6);
});

test("faults that an event leaves out stay as they are", () => {
  const s = reduce(state(), { type: "faults", data: { faults: { cut: true } } });
  assert.deepEqual(s.faults, { slow: false, cut: true });
});

const none = new Set<string>();
const times = timesIn("Europe/Stockholm");

test("people see their own ephemeral messages only, until they dismiss them", () => {
  const all = [message("1.0", { ephemeral_for: "A" }), message("2.0", { ephemeral_for: "B" }), message("3.0")];
  assert.deepEqual(lines(all, "A", none, times).map((l) => l.message.ts), ["1.0", "3.0"]);
  assert.deepEqual(lines(all, "A", new Set(["1.0"]), times).map((l) => l.message.ts), ["3.0"]);
});

test("replies stand under their parent; one whose parent is gone stands alone; a broadcast stands in both", () => {
  const all = [message("1.0"), message("2.0", { thread_ts: "1.0" }), message("3.0", { thread_ts: "0.5" }), message("4.0", { thread_ts: "1.0", reply_broadcast: true })];
  const got = lines(all, "A", none, times);
  assert.deepEqual(got.map((l) => l.message.ts), ["1.0", "3.0", "4.0"]);
  assert.deepEqual(got[0]?.replies.map((m) => m.ts), ["2.0", "4.0"]);
});

test("a person's messages join when close in time; the app's never do; days are divided", () => {
  const got = lines(
    [message("1000.0"), message("1060.0"), message("1600.0"), message("1601.0", { kind: "app" }), message("90000.0")], "A", none, times,
  );
  assert.deepEqual(got.map((l) => l.joined), [false, true, false, false, false]);
  assert.deepEqual(got.map((l) => Boolean(l.day)), [true, false, false, false, true]);
});
