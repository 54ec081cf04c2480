// Text objects: plain_text stays as it came, letter by letter; only mrkdwn has markup. A software id such as
// microsoft-_-windows_11 is what people copy from here.
import type { Text } from "../types.ts";
import { EmojiText } from "./emoji_text.tsx";
import { Mrkdwn } from "./library.tsx";

/** TextObject draws one text object. Shortcodes such as :wave: become emoji unless the app says emoji: false. */
export function TextObject({ text }: { text: Text }) {
  if (text.type === "mrkdwn") return <Mrkdwn text={text} />;
  return <span className="plain-text">{text.emoji === false ? text.text : <EmojiText text={text.text} />}</span>;
}
