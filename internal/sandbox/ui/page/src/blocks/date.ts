// Slack's date tokens, in the reader's zone and language.
// https://docs.slack.dev/messaging/formatting-message-text#date-formatting

import type { Times } from "../times.ts";

const dayMS = 24 * 60 * 60 * 1000;

type Style = Intl.DateTimeFormatOptions;

const styles: Record<string, Style> = {
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date_long: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  day_divider_pretty: { weekday: "long", month: "long", day: "numeric" },
  time: { hour: "numeric", minute: "2-digit" },
  time_secs: { hour: "numeric", minute: "2-digit", second: "2-digit" },
};

/** slackDate fills a format such as "{date_short_pretty} at {time}"; now tells what is today. */
export function slackDate(at: Date, format: string, now: Date, times: Times): string {
  return format.replace(/\{(\w+)\}/g, (whole, token: string) => word(at, token, now, times) ?? whole);
}

function word(at: Date, token: string, now: Date, times: Times): string | undefined {
  if (token === "ago") return ago(at, now);
  if (token === "date_num") return times.dayKey(at);
  const base = token.replace(/_pretty$/, "");
  if (base !== token) {
    const near = relativeDay(times.dayKey(at), times.dayKey(now));
    if (near) return near;
  }
  const style = styles[token] ?? styles[base];
  return style && new Intl.DateTimeFormat(undefined, times.zone ? { ...style, timeZone: times.zone } : style).format(at);
}

function relativeDay(day: string, today: string): string | undefined {
  const days = Math.round((Date.parse(day) - Date.parse(today)) / dayMS);
  return ({ "-1": "yesterday", "0": "today", "1": "tomorrow" } as Record<string, string>)[String(days)];
}

function ago(at: Date, now: Date): string {
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  const seconds = Math.round((at.getTime() - now.getTime()) / 1000);
  const units: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86_400], ["hour", 3600], ["minute", 60]];
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(seconds, "second");
}
