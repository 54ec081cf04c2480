// The middle of the page: a channel's heading, its messages, and the composer.
import { Fragment, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { Channel, Command, Message } from "./types.ts";
import { usePeople } from "./people.tsx";
import { longDay } from "./format.ts";
import { lines } from "./message_list.ts";
import { MessageRow } from "./message.tsx";
import { Composer } from "./composer.tsx";

interface Props {
  channel: Channel;
  messages: Message[];
  commands: Command[];
}

export function channelTitle(c: Channel): string {
  return c.is_im ? "Missing KBs" : `#${c.name}`;
}

/** How many messages are drawn before the person asks for more. */
const firstCount = 200;

export function ChannelPane({ channel, messages, commands }: Props) {
  const { me } = usePeople();
  const [dismissed, setDismissed] = useState<ReadonlySet<string>>(new Set());
  const [count, setCount] = useState(firstCount);
  const onDismiss = useCallback((ts: string) => setDismissed((old) => new Set(old).add(ts)), []);
  const all = useMemo(() => lines(messages, me, dismissed), [messages, me, dismissed]);
  const shown = all.slice(-count);
  const scroller = useStickyBottom(all.length, all.at(-1)?.message);

  return (
    <>
      <h2 className="visually-hidden">Messages</h2>
      <div className="messages" ref={scroller} tabIndex={0} role="log" aria-live="polite" aria-label={`Messages in ${channelTitle(channel)}`} data-testid="messages">
        <div className="messages-inner">
          {all.length === 0 && <Empty channel={channel} command={commands[0]?.command} />}
          {all.length > shown.length && (
            <button type="button" className="btn earlier" onClick={() => setCount(count + firstCount)}>
              Show earlier messages ({all.length - shown.length})
            </button>
          )}
          {shown.map(({ message, replies, joined, day }) => (
            <Fragment key={message.ts}>
              {day && <div className="day"><span>{longDay(day)}</span></div>}
              <MessageRow message={message} replies={replies} commands={commands} joined={joined} onDismiss={onDismiss} />
            </Fragment>
          ))}
        </div>
      </div>
      <Composer key={channel.id} channel={channel.id} commands={commands} placeholder={`Message ${channelTitle(channel)}`} />
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

/** useStickyBottom keeps the newest message in view unless the person scrolled away from it. */
function useStickyBottom(length: number, last: Message | undefined) {
  const ref = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  useLayoutEffect(() => {
    const el = ref.current;
    if (el && stuck.current) el.scrollTop = el.scrollHeight;
  }, [length, last]);
  useEffect(() => {
    const el = ref.current;
    if (!el) return;
    const onScroll = () => {
      stuck.current = el.scrollHeight - el.scrollTop - el.clientHeight < 80;
    };
    const grown = new ResizeObserver(() => {
      if (stuck.current) el.scrollTop = el.scrollHeight;
    });
    el.addEventListener("scroll", onScroll, { passive: true });
    grown.observe(el);
    if (el.firstElementChild) grown.observe(el.firstElementChild);
    return () => {
      el.removeEventListener("scroll", onScroll);
      grown.disconnect();
    };
  }, []);
  return ref;
}
