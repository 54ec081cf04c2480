// The middle of the page: a channel's heading, its messages, and the composer.
import { Fragment, useMemo, useState } from "react";
import type { Channel, Command, Message } from "./types.ts";
import { usePeople } from "./people.tsx";
import { lines } from "./message_list.ts";
import { MessageRow } from "./message.tsx";
import { Composer } from "./composer.tsx";
import { useStickyBottom } from "./sticky.tsx";
import { NewMessages } from "./new_messages.tsx";

interface Props {
  channel: Channel;
  messages: Message[];
  commands: Command[];
  dismissed: ReadonlySet<string>;
  /** The message whose thread is open beside; empty for none. */
  thread: string;
  onDismiss(ts: string): void;
  onThread(ts: string): void;
}

export function channelTitle(c: Channel): string {
  return c.is_im ? "Missing KBs" : `#${c.name}`;
}

/** How many messages are drawn before the person asks for more. */
const firstCount = 200;

export function ChannelPane({ channel, messages, commands, dismissed, thread, onDismiss, onThread }: Props) {
  const { me, times } = usePeople();
  const [count, setCount] = useState(firstCount);
  const all = useMemo(() => lines(messages, me, dismissed, times), [messages, me, dismissed, times]);
  const shown = all.slice(-count);
  const { ref, unseen, toEnd } = useStickyBottom(all.at(-1)?.message, me);

  return (
    <>
      <h2 className="visually-hidden">Messages</h2>
      <div className="messages" ref={ref} tabIndex={0} role="log" aria-live="polite" aria-label={`Messages in ${channelTitle(channel)}`} data-testid="messages">
        <div className="messages-inner">
          {all.length === 0 && <Empty channel={channel} command={commands[0]?.command} />}
          {all.length > shown.length && (
            <button type="button" className="btn earlier" onClick={() => setCount(count + firstCount)}>
              Show earlier messages ({all.length - shown.length})
            </button>
          )}
          {shown.map(({ message, replies, joined, day }) => (
            <Fragment key={message.ts}>
              {day && <div className="day"><span>{times.longDay(day)}</span></div>}
              <MessageRow message={message} replies={replies.length} joined={joined} open={message.ts === thread} onDismiss={onDismiss} onThread={onThread} />
            </Fragment>
          ))}
        </div>
      </div>
      {unseen && <NewMessages onClick={toEnd} />}
      <Composer key={channel.id} channel={channel.id} commands={commands} placeholder={`Message ${channelTitle(channel)}`} onSend={toEnd} />
    </>
  );
}

function Empty({ channel, command }: { channel: Channel; command: string | undefined }) {
  return (
    <div className="empty">
      <h3>{channelTitle(channel)}</h3>
      <p>{channel.topic || "Nothing was written here yet."}</p>
      {command && <p>Type <code>{command}</code> below to ask the app something.</p>}
    </div>
  );
}
