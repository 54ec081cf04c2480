// Sizes and names as people read them, and when a message was written; times.ts writes times.
import type { Answer, User } from "./types.ts";

/** tsDate turns a message timestamp ("1763900000.000100") into a date. */
export function tsDate(ts: string): Date {
  return new Date(Number.parseFloat(ts) * 1000);
}

export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(ms >= 10_000 ? 0 : 1)} s`;
  return ms >= 10 || Number.isInteger(ms) ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

export function fileSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const kb = bytes / 1024;
  return kb < 1024 ? `${kb.toFixed(kb < 10 ? 1 : 0)} KB` : `${(kb / 1024).toFixed(1)} MB`;
}

export function displayName(u: User | undefined, id: string): string {
  return u ? u.real_name || u.name : id;
}

/** Slack's words for what can go wrong with a delivery, as people understand them. */
const failures: Record<string, string> = {
  dispatch_failed: "the app is not connected",
  operation_timeout: "the app did not respond",
  invalid_command_response: "the app answered with a message that Slack refuses",
  unknown_command: "no app knows this command",
};

/** failure gives the words for what the app or the sandbox did not take; empty when all went well. */
export function failure(a: Answer): string {
  const code = a.delivery?.err || (a.delivery?.acked === false ? "operation_timeout" : a.ok ? "" : (a.error ?? "the sandbox refused it"));
  return failures[code] ?? code;
}

export function initials(name: string): string {
  return name.split(/\s+/).slice(0, 2).map((w) => w.charAt(0).toUpperCase()).join("");
}
