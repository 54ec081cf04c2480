// The replies under a message, and the field to add one.
import type { Command, Message } from "./types.ts";
import { MessageRow, noReplies } from "./message.tsx";
import { Composer } from "./composer.tsx";

interface Props {
  parent: Message;
  replies: Message[];
  commands: Command[];
  open: boolean;
  onOpen(open: boolean): void;
  onDismiss(ts: string): void;
}

export function Thread({ parent, replies, commands, open, onOpen, onDismiss }: Props) {
  const n = replies.length;
  return (
    <div className="thread" data-testid="thread">
      <button type="button" className="link thread-toggle" aria-expanded={open} data-testid="thread-toggle" onClick={() => onOpen(!open)}>
        <span className="twisty" aria-hidden="true" />
        {n === 0 ? "No replies yet" : n === 1 ? "1 reply" : `${n} replies`}
      </button>
      {open && (
        <div className="replies">
          {replies.map((m) => (
            <MessageRow key={m.ts} message={m} replies={noReplies} commands={commands} joined={false} inThread onDismiss={onDismiss} />
          ))}
          {/* Slack runs no slash commands in threads, so none are offered there. */}
          <Composer channel={parent.channel} placeholder="Reply…" commands={commands} thread={parent.ts} />
        </div>
      )}
    </div>
  );
}
