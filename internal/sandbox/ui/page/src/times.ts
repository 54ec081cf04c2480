// Times as people read them, in one zone: the zone of who looks, as Slack has it, not the computer's. Digests speak of that
// zone too, so the page never shows another time beside theirs.

/** Times writes times in one zone. */
export interface Times {
  /** The zone's IANA name; undefined stands for the computer's. */
  zone: string | undefined;
  timeOfDay(d: Date): string;
  fullDate(d: Date): string;
  longDay(d: Date): string;
  dayAndYear(d: Date): string;
  /** Hours to milliseconds, of an RFC 3339 time. */
  traceClock(iso: string): string;
  /** "2026-11-24": equal for two times of one day. */
  dayKey(d: Date): string;
}

const made = new Map<string, Times>();

/** timesIn returns the writer of a zone; the computer's where the name is not known. */
export function timesIn(zone: string | undefined): Times {
  const key = zone ?? "";
  const times = made.get(key) ?? timesOf(known(zone));
  made.set(key, times);
  return times;
}

function known(zone: string | undefined): string | undefined {
  if (!zone) return undefined;
  try {
    return new Intl.DateTimeFormat(undefined, { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

function timesOf(timeZone: string | undefined): Times {
  const style = (o: Intl.DateTimeFormatOptions, language?: string) => new Intl.DateTimeFormat(language, timeZone ? { ...o, timeZone } : o);
  const clock = style({ hour: "numeric", minute: "2-digit" });
  const full = style({ dateStyle: "full", timeStyle: "long" });
  const long = style({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
  const short = style({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
  const trace = style({ hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hour12: false });
  const key = style({ year: "numeric", month: "2-digit", day: "2-digit" }, "en-CA");
  return {
    zone: timeZone,
    timeOfDay: (d) => clock.format(d),
    fullDate: (d) => full.format(d),
    longDay: (d) => long.format(d),
    dayAndYear: (d) => short.format(d),
    traceClock: (iso) => {
      const d = new Date(iso);
      return Number.isNaN(d.getTime()) ? iso : trace.format(d);
    },
    dayKey: (d) => key.format(d),
  };
}
