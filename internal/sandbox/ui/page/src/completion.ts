// What the composer offers while a person types. Pure functions over the text and the cursor.
import type { Command } from "./types.ts";

export interface Offer {
  label: string;
  hint: string;
  /** The whole text after this offer is taken. */
  text: string;
}

export interface Offers {
  kind: "command" | "words" | "mention" | "none";
  list: Offer[];
  /** The command whose usage is shown. */
  command?: Command;
}

const limit = 8;
const nothing: Offers = { kind: "none", list: [] };

/** offers looks at the text before the cursor only: in the middle of a text nothing is completed. */
export function offers(text: string, commands: Command[], names: string[]): Offers {
  const command = commands.find((c) => text === c.command || text.startsWith(c.command + " "));
  if (command && text !== command.command) return { ...words(text, command), command };
  if (/^\/\S*$/.test(text)) return { kind: "command", list: commandOffers(text, commands), ...(command && { command }) };
  const mention = /(^|\s)@(\w*)$/.exec(text);
  return mention ? mentions(text, mention[2] ?? "", names) : nothing;
}

function commandOffers(text: string, commands: Command[]): Offer[] {
  return commands
    .filter((c) => c.command.startsWith(text.toLowerCase()))
    .map((c) => ({ label: `${c.command} ${c.usage_hint}`.trim(), hint: c.description, text: c.command + " " }));
}

function words(text: string, command: Command): Offers {
  const typed = text.slice(command.command.length).trimStart().toLowerCase();
  const all = command.completions ?? [];
  const starting = all.filter((c) => c.text.toLowerCase().startsWith(typed));
  const holding = all.filter((c) => !starting.includes(c) && (c.text + " " + c.hint).toLowerCase().includes(typed));
  const list = [...starting, ...holding]
    .filter((c) => c.text.toLowerCase() !== typed)
    .slice(0, limit)
    .map((c) => ({ label: c.text, hint: c.hint, text: `${command.command} ${c.text}` }));
  return { kind: "words", list };
}

function mentions(text: string, typed: string, names: string[]): Offers {
  const before = text.slice(0, text.length - typed.length - 1);
  const list = names
    .filter((n) => n.toLowerCase().startsWith(typed.toLowerCase()))
    .slice(0, limit)
    .map((n) => ({ label: "@" + n, hint: "", text: `${before}@${n} ` }));
  return { kind: "mention", list };
}

/** withMentions turns @name into the form that Slack sends, for the names that exist. */
export function withMentions(text: string, ids: Map<string, string>): string {
  return text.replace(/(^|\s)@([\w.-]*\w)/g, (whole, space: string, name: string) => {
    const id = ids.get(name.toLowerCase());
    return id ? `${space}<@${id}>` : whole;
  });
}
