// The panel that shows what went over the wires: every envelope, Web API call and Defender request, with its JSON and time.
import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { TraceEntry } from "./types.ts";
import { duration } from "./format.ts";
import { usePeople } from "./people.tsx";
import { ackTimes, nameOf, noteOf } from "./wire_text.ts";
import { Json } from "./json.tsx";

interface Kind {
  label: string;
  /** What the arrow tells: out is from the workspace to the app. */
  arrow: string;
}

const kinds: Record<string, Kind> = {
  "socket-out": { label: "Socket", arrow: "→" },
  "socket-in": { label: "Socket", arrow: "←" },
  "web-api": { label: "Web API", arrow: "←" },
  "response-url": { label: "Response URL", arrow: "←" },
  defender: { label: "Defender", arrow: "⇄" },
  ui: { label: "Person", arrow: "•" },
  error: { label: "Error", arrow: "!" },
};

/** From here a step's time is shown as slow. */
const slowMS = 1000;

const legend: [string, string][] = [
  ["→", "to the app"], ["←", "from the app"], ["⇄", "the app and Defender"], ["•", "what a person did"],
];

export function Wire({ trace }: { trace: TraceEntry[] }) {
  const [query, setQuery] = useState("");
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [from, setFrom] = useState(0);
  const present = useMemo(() => [...new Set(trace.map((e) => e.kind))].sort(), [trace]);
  const shown = useMemo(() => {
    const q = query.toLowerCase();
    return trace.filter((e) => e.seq > from && !hidden.has(e.kind) && (!q || matches(e, q)));
  }, [trace, hidden, query, from]);
  const acks = useMemo(() => ackTimes(trace), [trace]);
  const scroller = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  useLayoutEffect(() => {
    const el = scroller.current;
    if (el && stuck.current) el.scrollTop = el.scrollHeight;
  }, [shown]);
  useEffect(() => {
    const el = scroller.current;
    if (!el) return;
    const onScroll = () => {
      stuck.current = el.scrollHeight - el.scrollTop - el.clientHeight < 40;
    };
    el.addEventListener("scroll", onScroll, { passive: true });
    return () => el.removeEventListener("scroll", onScroll);
  }, []);

  return (
    <div className="wire" data-testid="wire">
      <div className="wire-tools">
        <input type="search" className="field" placeholder="Search" aria-label="Search the wire" data-testid="wire-search" value={query} onChange={(e) => setQuery(e.target.value)} />
        <button type="button" className="btn" data-testid="wire-clear" onClick={() => setFrom(trace.at(-1)?.seq ?? 0)}>Clear</button>
      </div>
      <div className="wire-kinds" role="group" aria-label="Kinds shown">
        {present.map((k) => (
          <button key={k} type="button" className={`kind ${k}`} aria-pressed={!hidden.has(k)} onClick={() => setHidden(toggled(hidden, k))}>
            {kinds[k]?.arrow ?? "·"} {kinds[k]?.label ?? k}
          </button>
        ))}
      </div>
      <div className="wire-list" ref={scroller} tabIndex={0} role="log" aria-label="Wire" aria-live="off">
        {shown.length === 0 && (
          <div className="empty small">
            <p>Nothing to show. Send a message or a command.</p>
            <ul>{legend.map(([sign, text]) => <li key={sign}><b>{sign}</b> {text}</li>)}</ul>
          </div>
        )}
        {shown.map((e) => <Entry key={e.seq} e={e} took={e.duration_ms || (acks.get(e.seq) ?? 0)} />)}
      </div>
    </div>
  );
}

function toggled(set: ReadonlySet<string>, k: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(k)) next.add(k);
  return next;
}

function matches(e: TraceEntry, q: string): boolean {
  return e.name.toLowerCase().includes(q) || (JSON.stringify(e.body) ?? "").toLowerCase().includes(q);
}

const Entry = memo(function Entry({ e, took }: { e: TraceEntry; took: number }) {
  const { times } = usePeople();
  const [open, setOpen] = useState(false);
  const kind = kinds[e.kind] ?? { label: e.kind, arrow: "·" };
  return (
    <div className={`entry ${e.kind}`} data-testid="wire-entry" data-kind={e.kind}>
      <button type="button" className="entry-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="twisty" aria-hidden="true" />
        <span className={`entry-kind ${e.kind}`} title={kind.label}><span aria-hidden="true">{kind.arrow}</span><span className="visually-hidden">{kind.label}</span></span>
        <span className="entry-name" title={`${nameOf(e)} ${noteOf(e)}`}>{nameOf(e)}<span className="entry-note">{noteOf(e)}</span></span>
        <span className={took >= slowMS ? "entry-time slow" : "entry-time"}>{took > 0 ? duration(took) : ""}</span>
        <span className="entry-clock">{times.traceClock(e.time)}</span>
      </button>
      {open && <Body body={e.body} />}
    </div>
  );
});

function Body({ body }: { body: unknown }) {
  const [copied, setCopied] = useState(false);
  async function copy(): Promise<void> {
    await navigator.clipboard.writeText(JSON.stringify(body, null, 2) ?? "");
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  }
  if (body === undefined || body === null) return <div className="entry-body">No body.</div>;
  return (
    <div className="entry-body">
      <button type="button" className="btn copy" onClick={() => void copy()}>{copied ? "Copied" : "Copy"}</button>
      <Json value={body} />
    </div>
  );
}
