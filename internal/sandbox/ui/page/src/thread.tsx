// A thread: the column beside the channel where the replies to a message are read and written.
import { useEffect, useMemo, useRef } from "react";
import type { Channel, Command, Message } from "./types.ts";
import { usePeople } from "./people.tsx";
import { lines } from "./message_list.ts";
import { MessageRow } from "./message.tsx";
import { Composer } from "./composer.tsx";
import { useStickyBottom } from "./sticky.tsx";
import { NewMessages } from "./new_messages.tsx";

interface Props {
  channel: Channel;
  ts: string;
  messages: Message[];
  commands: Command[];
  dismissed: ReadonlySet<string>;
  onDismiss(ts: string): void;
  onClose(): void;
}

/** ThreadPane shows a message with its replies beside the channel. */
export function ThreadPane({ channel, ts, messages, commands, dismissed, onDismiss, onClose }: Props) {
  const { me, times } = usePeople();
  const line = useMemo(() => lines(messages, me, dismissed, times).find((l) => l.message.ts === ts), [messages, me, dismissed, times, ts]);
  const close = useRef<HTMLButtonElement>(null);
  const { ref, unseen, toEnd } = useStickyBottom(line?.replies.at(-1), me);
  useEffect(() => close.current?.focus(), [ts]);
  return (
    <aside className="thread" id="thread" aria-label="Thread" data-testid="thread" onKeyDown={(e) => e.key === "Escape" && onClose()}>
      <div className="thread-head">
        <h2>Thread</h2>
        <button type="button" className="btn icon" aria-label="Close the thread" data-testid="close-thread" ref={close} onClick={onClose}><span aria-hidden="true">×</span></button>
      </div>
      <div className="replies" ref={ref} tabIndex={0} role="log" aria-label="Replies">
        <div>
          {line
            ? [line.message, ...line.replies].map((m) => (
              <MessageRow key={m.ts} message={m} replies={0} joined={false} inThread open={false} onDismiss={onDismiss} onThread={onClose} />
            ))
            : <p className="empty small">The message is gone.</p>}
        </div>
      </div>
      {unseen && <NewMessages onClick={toEnd} />}
      {/* Slack runs no slash commands in threads, so none are offered there. */}
      {line && <Composer channel={channel.id} placeholder="Reply…" commands={commands} thread={ts} onSend={toEnd} />}
    </aside>
  );
}
