// What a line of the wire says about its entry, read out of the entry's JSON. Pure functions.
import type { TraceEntry } from "./types.ts";

/** at reads a nested field; undefined wherever there is none. */
function at(x: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((o, key) => (typeof o === "object" && o !== null ? (o as Record<string | number, unknown>)[key] : undefined), x);
}

function firstText(...candidates: unknown[]): string {
  return candidates.find((c): c is string => typeof c === "string" && c !== "") ?? "";
}

export function nameOf(e: TraceEntry): string {
  return e.kind === "response-url" ? `response_url: ${e.name}` : e.name;
}

/** noteOf gives the words that tell one entry from its neighbours: what was typed, which button, which error. */
export function noteOf(e: TraceEntry): string {
  const b = e.body;
  switch (e.kind) {
    case "ui":
      return firstText(at(b, "text"), at(b, "action", "text", "text"), at(b, "action", "action_id"), at(b, "by"), at(b, "view"));
    case "socket-out":
      return firstText(at(b, "payload", "text"), at(b, "payload", "actions", 0, "action_id"), at(b, "payload", "value"), at(b, "reason"));
    case "web-api":
    case "response-url":
      return firstText(at(b, "response", "error"));
    case "error":
      return firstText(at(b, "reason"));
    default:
      return "";
  }
}

/** micros reads a time with more than the milliseconds that Date keeps. */
function micros(iso: string): number {
  const fraction = /\.(\d+)/.exec(iso)?.[1] ?? "";
  return Math.trunc(Date.parse(iso) / 1000) * 1e6 + Number(fraction.padEnd(6, "0").slice(0, 6));
}

/** ackTimes tells, by entry, after how many milliseconds an envelope was acknowledged. */
export function ackTimes(trace: TraceEntry[]): Map<number, number> {
  const sent = new Map<unknown, number>();
  for (const e of trace) {
    const id = at(e.body, "envelope_id");
    if (e.kind === "socket-out" && id && !sent.has(id)) sent.set(id, micros(e.time));
  }
  const times = new Map<number, number>();
  for (const e of trace) {
    const start = sent.get(at(e.body, "envelope_id"));
    if (e.kind === "socket-in" && start !== undefined) times.set(e.seq, Math.max(0.1, (micros(e.time) - start) / 1000));
  }
  return times;
}
