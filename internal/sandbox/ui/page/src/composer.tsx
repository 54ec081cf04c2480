// The field where people type: slash commands with their usage and completion, history, and what became of the last one.
import { useId, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { send } from "./api.ts";
import { offers, withMentions, type Offer } from "./completion.ts";
import { duration, failure } from "./format.ts";
import type { Answer, Command } from "./types.ts";
import { usePeople } from "./people.tsx";
import { useHistory } from "./use_history.ts";

interface Props {
  channel: string;
  placeholder: string;
  commands: Command[];
  thread?: string;
  /** Called when a line is sent: what answers it comes at the end. */
  onSend(): void;
}

interface Status {
  text: string;
  bad: boolean;
}

/** outcome says what happened to a command. The channel shows the failure too, as Slack does. */
function outcome(a: Answer): Status {
  const d = a.delivery;
  if (failure(a)) return { text: d ? `Sent, but ${failure(a)}` : `Not sent: ${failure(a)}`, bad: true };
  if (!d?.acked) return { text: "", bad: false };
  return { text: `Acknowledged${d.ack_after_ms === undefined ? "" : ` after ${duration(d.ack_after_ms)}`}`, bad: false };
}

export function Composer({ channel, placeholder, commands, thread, onSend }: Props) {
  const { me, users } = usePeople();
  const [text, setText] = useState("");
  const [active, setActive] = useState(-1);
  const [closed, setClosed] = useState(false);
  const [busy, setBusy] = useState(0);
  const [status, setStatus] = useState<Status>({ text: "", bad: false });
  const area = useRef<HTMLTextAreaElement>(null);
  const list = useId();
  const history = useHistory();

  const ids = useMemo(() => new Map([...users.values()].map((u) => [u.name.toLowerCase(), u.id])), [users]);
  const offered = useMemo(() => offers(text, thread ? [] : commands, [...ids.keys()]), [text, commands, ids, thread]);
  const open = !closed && offered.list.length > 0 && text !== "";
  // Enter completes a command's name, but sends what stands after it: there an offer must be pointed at first.
  const first = offered.kind === "words" ? -1 : 0;
  const pointed = open ? (active >= 0 ? active : first) : -1;

  useLayoutEffect(() => {
    const el = area.current;
    if (!el) return;
    el.style.height = "auto";
    el.style.height = `${Math.min(el.scrollHeight, 240)}px`;
  }, [text]);

  function change(next: string): void {
    setText(next);
    setActive(-1);
    setClosed(false);
  }

  function take(o: Offer | undefined): void {
    if (!o) return;
    change(o.text);
    history.reset();
    area.current?.focus();
  }

  async function submit(): Promise<void> {
    const typed = text.trim();
    if (!typed) return;
    history.add(typed);
    change("");
    onSend();
    setBusy((n) => n + 1);
    setStatus({ text: "", bad: false });
    try {
      const out = typed.startsWith("/") ? typed : withMentions(typed, ids);
      setStatus(outcome(await send({ user: me, channel, text: out, ...(thread && { thread_ts: thread }) })));
    } catch (err) {
      setStatus({ text: `Not sent: ${err instanceof Error ? err.message : String(err)}`, bad: true });
      setText((now) => now || typed);
    } finally {
      setBusy((n) => n - 1);
    }
  }

  function recall(ev: KeyboardEvent, entry: string | undefined): void {
    if (entry === undefined) return;
    ev.preventDefault();
    setText(entry);
    setActive(-1);
    setClosed(true); // the popup would take the next arrow
  }

  function onKey(ev: KeyboardEvent<HTMLTextAreaElement>): void {
    if (ev.nativeEvent.isComposing) return;
    const count = offered.list.length;
    if (ev.key === "ArrowDown" && open) {
      ev.preventDefault();
      setActive((pointed + 1) % count);
    } else if (ev.key === "ArrowUp" && open) {
      ev.preventDefault();
      setActive(pointed <= 0 ? count - 1 : pointed - 1);
    } else if (ev.key === "Tab" && open && !ev.shiftKey) {
      ev.preventDefault();
      take(offered.list[Math.max(pointed, 0)]);
    } else if (ev.key === "Escape" && open) {
      ev.preventDefault();
      setClosed(true);
    } else if (ev.key === "Enter" && !ev.shiftKey) {
      ev.preventDefault();
      const o = offered.list[pointed];
      if (o && o.text.trim() !== text.trim()) take(o);
      else void submit();
    } else if (!text.includes("\n")) {
      // In a text of several lines the arrows move the cursor.
      if (ev.key === "ArrowUp") recall(ev, history.older(text));
      if (ev.key === "ArrowDown") recall(ev, history.newer());
    }
  }

  const usage = offered.command;
  return (
    <form
      className={thread ? "composer reply" : "composer"}
      onSubmit={(e) => {
        e.preventDefault();
        void submit();
      }}
    >
      {open && (
        <ul className="offers" role="listbox" id={list} aria-label="Suggestions" data-testid="completions">
          {offered.list.map((o, i) => (
            <li
              key={o.text}
              id={`${list}-${i}`}
              role="option"
              aria-selected={i === pointed}
              data-testid="completion"
              onPointerDown={(e) => e.preventDefault()}
              onClick={() => take(o)}
            >
              <span className="offer-label">{o.label}</span>
              <span className="offer-hint">{o.hint}</span>
            </li>
          ))}
          <li className="offer-keys" role="presentation" aria-hidden="true">↑ ↓ to choose · Tab to complete · Esc to close</li>
        </ul>
      )}
      {usage && (
        <div className="usage" data-testid="usage">
          <code>{usage.command} {usage.usage_hint}</code> <span>{usage.description}</span>
        </div>
      )}
      <div className="composer-box">
        <textarea
          ref={area}
          rows={1}
          value={text}
          placeholder={placeholder}
          aria-label={placeholder}
          aria-autocomplete="list"
          aria-controls={open ? list : undefined}
          aria-activedescendant={pointed >= 0 ? `${list}-${pointed}` : undefined}
          data-testid={thread ? "reply" : "composer"}
          onChange={(e) => {
            history.reset();
            change(e.target.value);
          }}
          onKeyDown={onKey}
        />
        <button type="submit" className="send" aria-label="Send" data-testid={thread ? "send-reply" : "send"} disabled={!text.trim()}>
          <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true"><path d="M2.5 3.2 18 10 2.5 16.8l1.7-5.6L11 10 4.2 8.8z" fill="currentColor" /></svg>
        </button>
      </div>
      <div className={status.bad ? "composer-status bad" : "composer-status"} role="status" data-testid="delivery">
        {busy > 0 ? "Waiting for the app…" : status.text}
      </div>
    </form>
  );
}
