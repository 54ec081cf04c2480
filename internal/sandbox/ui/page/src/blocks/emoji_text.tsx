// Emoji shortcodes in plain text, as Slack draws them in buttons, headers and options.
import { get } from "node-emoji";

/** emojify replaces the shortcodes it knows; any other text between colons stays. */
export function emojify(text: string): string {
  return text.replace(/:([a-z0-9_+'-]+):/g, (whole, name: string) => get(name) ?? whole);
}

export function EmojiText({ text }: { text: string }) {
  return <>{text.includes(":") ? emojify(text) : text}</>;
}
