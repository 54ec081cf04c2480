// Who is looking, who else is there, and in which theme: what blocks and messages need everywhere.
import { createContext, useContext } from "react";
import type { Channel, Shortcut, User } from "./types.ts";
import { displayName, initials } from "./format.ts";
import { timesIn, type Times } from "./times.ts";

export interface People {
  me: string;
  users: Map<string, User>;
  channels: Channel[];
  /** The app's shortcuts in the menu of messages. */
  messageShortcuts: Shortcut[];
  theme: "light" | "dark";
  /** The workspace's time when it was last told. */
  clock: Date;
  /** Writes times in the zone of who looks. */
  times: Times;
}

export const PeopleContext = createContext<People>({ me: "", users: new Map(), channels: [], messageShortcuts: [], theme: "light", clock: new Date(0), times: timesIn(undefined) });

export const usePeople = (): People => useContext(PeopleContext);

/** AppMark is the app's own picture: a patch. */
export function AppMark({ size = 36 }: { size?: number }) {
  return (
    <svg className="avatar app-mark" width={size} height={size} viewBox="0 0 36 36" aria-hidden="true">
      <rect width="36" height="36" rx="8" fill="#0f6b6b" />
      <g transform="rotate(-45 18 18)">
        <rect x="6" y="12.5" width="24" height="11" rx="5.5" fill="#f2c98a" />
        <rect x="13" y="12.5" width="10" height="11" fill="#e3a95c" />
        <g fill="#8a5a1c">
          <circle cx="16" cy="16" r="1" />
          <circle cx="20" cy="16" r="1" />
          <circle cx="16" cy="20" r="1" />
          <circle cx="20" cy="20" r="1" />
        </g>
      </g>
    </svg>
  );
}

// Six tones that carry white letters with a contrast of at least 4.5:1.
const tones = ["#1f5f99", "#7a3e8e", "#8a4b12", "#2c6e49", "#9b2c4e", "#4a5568"];

function tone(id: string): string {
  let sum = 0;
  for (const c of id) sum = (sum * 31 + (c.codePointAt(0) ?? 0)) % 9973;
  return tones[sum % tones.length] ?? "#4a5568";
}

/** Avatar is a person's initials on their colour, or the app's mark. It is decoration: the name stands beside it. */
export function Avatar({ user, id, size = 36 }: { user?: User | undefined; id: string; size?: number }) {
  if (user?.kind === "bot") return <AppMark size={size} />;
  const style = { background: tone(id), width: size, height: size, fontSize: size * 0.4 };
  return (
    <span className="avatar" style={style} aria-hidden="true">
      {initials(displayName(user, id)) || "?"}
    </span>
  );
}
