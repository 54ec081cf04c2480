// One message as a person sees it.
import { memo, useMemo, useState, type ReactNode } from "react";
import type { Block, Message } from "./types.ts";
import { Avatar, usePeople } from "./people.tsx";
import { displayName, failure, fileSize, tsDate } from "./format.ts";
import { shortcut } from "./api.ts";
import { Menu } from "./menu.tsx";
import { Blocks } from "./blocks/blocks.tsx";
import { MessageText } from "./blocks/library.tsx";
import { SurfaceProvider } from "./blocks/surface.tsx";
import { Replies } from "./replies.tsx";

interface Props {
  message: Message;
  /** How many replies its thread has. */
  replies: number;
  /** The same person wrote the message above a moment ago: no picture and name again. */
  joined: boolean;
  /** It stands in the column of its thread. */
  inThread?: boolean;
  /** Its thread is open beside. */
  open: boolean;
  onDismiss(ts: string): void;
  onThread(ts: string): void;
}

export const MessageRow = memo(function MessageRow(p: Props) {
  const { message: m } = p;
  const { users, times } = usePeople();
  const user = users.get(m.user);
  const date = tsDate(m.ts);
  const name = m.kind === "error" ? "Sandbox" : displayName(user, m.user);
  const time = <time dateTime={date.toISOString()} title={times.fullDate(date)}>{times.timeOfDay(date)}</time>;
  if (m.kind === "command_echo") return <Echo m={m} name={name} time={time} />;
  const privately = Boolean(m.ephemeral_for);
  const canReply = !p.inThread && !privately && p.replies === 0 && m.kind !== "error";
  const className = ["message", m.kind ?? "person", p.joined && "joined", privately && "ephemeral"].filter(Boolean).join(" ");
  return (
    <article className={className} data-testid="message" data-ts={m.ts} data-kind={m.kind} data-ephemeral={privately} aria-label={`${name}, ${times.timeOfDay(date)}`}>
      <div className="message-side">{p.joined ? time : m.kind === "error" ? <span className="avatar warn" aria-hidden="true">!</span> : <Avatar user={user} id={m.user} />}</div>
      <div className="message-main">
        {privately && (
          <div className="only-you">
            <span><span aria-hidden="true">◉ </span>Only visible to you</span>
            <button type="button" className="link" data-testid="dismiss" onClick={() => p.onDismiss(m.ts)}>Dismiss</button>
          </div>
        )}
        {!p.joined && (
          <div className="message-head">
            <span className="name">{name}</span>
            {user?.kind === "bot" && m.kind !== "error" && <span className="badge">APP</span>}
            {user?.kind === "external" && <span className="badge">EXTERNAL</span>}
            {user?.kind === "guest" && <span className="badge">GUEST</span>}
            {time}
          </div>
        )}
        <Content m={m} />
        {p.replies > 0 && <Replies count={p.replies} open={p.open} onOpen={() => p.onThread(m.ts)} />}
      </div>
      <Tools m={m} onThread={canReply && !p.open ? p.onThread : undefined} />
    </article>
  );
});

/** Tools are the buttons of a message that show while one points at it or is in it by keyboard. */
function Tools({ m, onThread }: { m: Message; onThread: ((ts: string) => void) | undefined }) {
  const { me, messageShortcuts } = usePeople();
  const [note, setNote] = useState("");
  // What one person alone sees has no menu, and neither have Slack's own lines.
  const items = m.ephemeral_for || m.deleted || m.kind === "error" ? [] : messageShortcuts.map((s) => ({
    key: s.callback_id,
    label: s.name,
    small: s.description,
    onChoose: () => {
      setNote("");
      shortcut(me, s.callback_id, { channel: m.channel, message_ts: m.ts }).then((a) => setNote(failure(a)), (e: unknown) => setNote(String(e)));
    },
  }));
  if (!onThread && items.length === 0) return null;
  return (
    <div className="message-tools">
      {note && <span className="note" role="alert">{note}</span>}
      {onThread && <button type="button" data-testid="start-thread" onClick={() => onThread(m.ts)}>Reply in thread</button>}
      {items.length > 0 && <Menu label="More actions of this message" testid="message-menu" items={items} />}
    </div>
  );
}

function Echo({ m, name, time }: { m: Message; name: string; time: ReactNode }) {
  return (
    <div className="echo" data-testid="message" data-ts={m.ts} data-kind="command_echo">
      <span><b>{name}</b> used <code>{m.text}</code></span> {time}
    </div>
  );
}

const noBlocks: Block[] = [];

function Content({ m }: { m: Message }) {
  const { me } = usePeople();
  const place = useMemo(() => ({ user: me, channel: m.channel, message_ts: m.ts }), [me, m.channel, m.ts]);
  const blocks = m.blocks ?? noBlocks;
  if (m.deleted) return <p className="tombstone">This message was deleted.</p>;
  return (
    <div className="message-body">
      {blocks.length
        ? <SurfaceProvider kind="message" place={place} blocks={blocks}><Blocks blocks={blocks} /></SurfaceProvider>
        : <MessageText text={m.text} />}
      {(m.attachments ?? []).map((a, i) => (
        <div key={i} className="attachment" style={a.color ? { borderColor: `#${a.color.replace("#", "")}` } : undefined}>
          {a.blocks?.length
            ? <SurfaceProvider kind="message" place={place} blocks={a.blocks}><Blocks blocks={a.blocks} /></SurfaceProvider>
            : <MessageText text={a.text ?? a.fallback ?? ""} />}
        </div>
      ))}
      {(m.files ?? []).map((f, i) => (
        <a key={i} className="file" href={f.url} download={f.name} data-testid="file">
          <span className="file-icon" aria-hidden="true">{f.name.split(".").pop()?.slice(0, 4).toUpperCase()}</span>
          <span><b>{f.name}</b><small>{fileSize(f.size)}</small></span>
        </a>
      ))}
      {m.edited && <span className="edited">(edited)</span>}
    </div>
  );
}
