// How events change the state. Pure functions: nothing here knows the network or React.
import type { FaultValue, Message, State, TraceEntry, View } from "./types.ts";

/** How many trace entries the page keeps; the server keeps its own bound. */
export const traceLimit = 400;

export type Event =
  | { type: "message"; data: { channel: string; message: Message } }
  | { type: "message_deleted"; data: { channel: string; ts: string } }
  | { type: "view"; data: { user: string; view: View } }
  | { type: "view_closed"; data: { user: string; view_id: string } }
  | { type: "home"; data: { user: string; view: View } }
  | { type: "trace"; data: TraceEntry }
  | { type: "clock"; data: { clock: string; waiting?: number } }
  | { type: "faults"; data: { faults: Record<string, FaultValue> } }
  | { type: "connections"; data: { connections: number } };

/** reduce gives the state after the event. The same event twice does no harm: a resumed stream may repeat some. */
export function reduce(s: State, e: Event): State {
  switch (e.type) {
    case "message":
      return withMessages(s, e.data.channel, (list) => upsert(list, e.data.message));
    case "message_deleted":
      return withMessages(s, e.data.channel, (list) => list.filter((m) => m.ts !== e.data.ts));
    case "view":
      return withViews(s, e.data.user, (list) => upsertView(list, e.data.view));
    case "view_closed":
      return withViews(s, e.data.user, (list) => list.filter((v) => v.id !== e.data.view_id));
    case "home":
      return { ...s, homes: { ...s.homes, [e.data.user]: e.data.view } };
    case "trace":
      return { ...s, trace: upsertTrace(s.trace, e.data) };
    case "clock":
      return { ...s, clock: e.data.clock, waiting: e.data.waiting ?? 0 };
    case "faults":
      return { ...s, faults: { ...s.faults, ...e.data.faults } };
    case "connections":
      return { ...s, connections: e.data.connections };
  }
}

function withMessages(s: State, channel: string, change: (list: Message[]) => Message[]): State {
  return { ...s, messages: { ...s.messages, [channel]: change(s.messages[channel] ?? []) } };
}

function withViews(s: State, user: string, change: (list: View[]) => View[]): State {
  return { ...s, views: { ...s.views, [user]: change(s.views?.[user] ?? []) } };
}

/** upsert keeps the list in the order of the timestamps, which compare as text since Slack pads them. */
function upsert(list: Message[], m: Message): Message[] {
  const at = list.findIndex((x) => x.ts >= m.ts);
  if (at < 0) return [...list, m];
  return list[at]?.ts === m.ts ? list.with(at, m) : list.toSpliced(at, 0, m);
}

function upsertView(list: View[], v: View): View[] {
  const at = list.findIndex((x) => x.id === v.id);
  return at < 0 ? [...list, v] : list.with(at, v);
}

function upsertTrace(list: TraceEntry[], e: TraceEntry): TraceEntry[] {
  const at = list.findIndex((x) => x.seq >= e.seq);
  if (at < 0) return [...list, e].slice(-traceLimit);
  return list[at]?.seq === e.seq ? list.with(at, e) : list.toSpliced(at, 0, e);
}
