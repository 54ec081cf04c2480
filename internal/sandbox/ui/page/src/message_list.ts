// Which messages a person sees in a channel and how they are grouped. Pure functions.
import type { Message } from "./types.ts";
import { tsDate } from "./format.ts";
import type { Times } from "./times.ts";

export interface Line {
  message: Message;
  replies: Message[];
  joined: boolean;
  /** Set on the first message of a day. */
  day?: Date;
}

const joinMS = 5 * 60 * 1000;

/** lines gives the channel as one person sees it: no one else's ephemeral messages, replies under their parents. */
export function lines(all: Message[], me: string, dismissed: ReadonlySet<string>, times: Times): Line[] {
  const seen = all.filter((m) => (!m.ephemeral_for || m.ephemeral_for === me) && !dismissed.has(m.ts));
  const replies = new Map<string, Message[]>();
  const top: Message[] = [];
  const parents = new Set(seen.map((m) => m.ts));
  for (const m of seen) {
    const reply = m.thread_ts && m.thread_ts !== m.ts && parents.has(m.thread_ts) ? m.thread_ts : "";
    if (reply) replies.set(reply, [...(replies.get(reply) ?? []), m]);
    if (!reply || m.reply_broadcast) top.push(m);
  }
  return top.map((message, i) => {
    const before = top[i - 1];
    const date = tsDate(message.ts);
    const newDay = !before || times.dayKey(tsDate(before.ts)) !== times.dayKey(date);
    return {
      message,
      replies: replies.get(message.ts) ?? none,
      joined: !newDay && !!before && joins(before, message),
      ...(newDay && { day: date }),
    };
  });
}

const none: Message[] = [];

/** joins tells whether b goes on where a stopped; messages that stand for themselves never do. */
function joins(a: Message, b: Message): boolean {
  return a.user === b.user && plain(a) && plain(b) && tsDate(b.ts).getTime() - tsDate(a.ts).getTime() < joinMS;
}

function plain(m: Message): boolean {
  return (m.kind ?? "person") === "person" && !m.ephemeral_for;
}
