// The bridge to slack-blocks-to-jsx, which draws everything that only shows: text, rich text, markdown, tables, pictures.
// It is told the workspace's people, keeps links harmless, and never loads a picture from elsewhere.
import { memo, useMemo, type ReactNode } from "react";
import { Message as Library, type Block as LibraryBlock, type MessageProps } from "slack-blocks-to-jsx";
import type { Block, Text } from "../types.ts";
import { usePeople } from "../people.tsx";
import { slackDate } from "./date.ts";
import { localPictures } from "./pictures.ts";

type Hooks = NonNullable<MessageProps["hooks"]>;

/** Link opens elsewhere, without telling where from. An address that is not plain web or mail stays text. */
export function Link({ href, children, className }: { href: string; children: ReactNode; className?: string | undefined }) {
  if (!/^(https?|mailto):/i.test(href)) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer" className={className}>
      {children}
    </a>
  );
}

const hooks: Hooks = {
  link: ({ href, children, className }) => <Link href={href} className={className}>{children}</Link>,
  date: (d) => <When {...d} />,
};

interface WhenProps {
  timestamp: string;
  format: string;
  link: string | null;
  fallback: string;
}

/** When is a date token. What is "today" is told by the workspace's clock, not the computer's. */
function When({ timestamp, format, link, fallback }: WhenProps) {
  const { clock, times } = usePeople();
  const at = new Date(Number(timestamp) * 1000);
  if (Number.isNaN(at.getTime())) return fallback;
  const shown = <time dateTime={at.toISOString()}>{slackDate(at, format, clock, times)}</time>;
  return link ? <Link href={link}>{shown}</Link> : shown;
}

/** The library makes a block_id the id of its element; two messages may share one, and it is the app's word. */
function prepared(b: Block): Block {
  const { block_id: _, ...rest } = localPictures(b);
  return withoutVerbatim(rest) as Block;
}

/**
 * Slack draws the markup of a verbatim text as of any other, it only finds no links and names of its own in it; the
 * library draws no markup at all then.
 * https://docs.slack.dev/reference/block-kit/composition-objects/text-object
 */
function withoutVerbatim(x: unknown): unknown {
  if (Array.isArray(x)) return x.map(withoutVerbatim);
  if (typeof x !== "object" || x === null) return x;
  const markup = (x as Partial<Text>).type === "mrkdwn";
  return Object.fromEntries(Object.entries(x).filter(([key]) => !markup || key !== "verbatim").map(([key, v]) => [key, withoutVerbatim(v)]));
}

/** Drawn shows blocks that the library knows. */
export const Drawn = memo(function Drawn({ blocks }: { blocks: Block[] }) {
  const { users, channels, theme } = usePeople();
  const data = useMemo(
    () => ({
      users: [...users.values()].map((u) => ({ id: u.id, name: u.name })),
      channels: channels.map((c) => ({ id: c.id, name: c.name })),
      user_groups: [],
    }),
    [users, channels],
  );
  // The library's types are its own reading of Block Kit; what the server let through is drawn as it came.
  const drawn = useMemo(() => blocks.map(prepared) as unknown as LibraryBlock[], [blocks]);
  return <Library blocks={drawn} data={data} hooks={hooks} theme={theme} name="" logo="" withoutWrapper />;
});

/** Mrkdwn shows one text object. */
export const Mrkdwn = memo(function Mrkdwn({ text }: { text: Text }) {
  const blocks = useMemo(() => [{ type: "section", text }], [text]);
  return <Drawn blocks={blocks} />;
});

/** MessageText shows the text of a message without blocks. */
export function MessageText({ text }: { text: string }) {
  const object = useMemo<Text>(() => ({ type: "mrkdwn", text }), [text]);
  return text === "" ? null : <Mrkdwn text={object} />;
}
