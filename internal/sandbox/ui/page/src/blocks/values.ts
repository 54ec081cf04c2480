// state.values as Slack builds it: what each element of some blocks holds before anyone touched it.
import type { Block, Element, Option, OptionList, Value, Values } from "../types.ts";

/** initialValue gives the value of an untouched element; undefined for elements that hold none, such as buttons. */
export function initialValue(e: Element): Value | undefined {
  const type = e.type;
  switch (type) {
    case "plain_text_input":
    case "email_text_input":
    case "url_text_input":
    case "number_input":
      return { type, value: e.initial_value ?? null };
    case "static_select":
    case "external_select":
    case "radio_buttons":
      return { type, selected_option: e.initial_option ?? null };
    case "multi_static_select":
    case "multi_external_select":
    case "checkboxes":
      return { type, selected_options: e.initial_options ?? [] };
    case "datepicker":
      return { type, selected_date: e.initial_date ?? null };
    case "timepicker":
      return { type, selected_time: e.initial_time ?? null };
    case "datetimepicker":
      return { type, selected_date_time: e.initial_date_time ?? null };
    case "users_select":
      return { type, selected_user: e.initial_user ?? null };
    case "channels_select":
      return { type, selected_channel: e.initial_channel ?? null };
    case "conversations_select":
      return { type, selected_conversation: e.initial_conversation ?? null };
    case "multi_users_select":
      return { type, selected_users: e.initial_users ?? [] };
    case "multi_channels_select":
      return { type, selected_channels: e.initial_channels ?? [] };
    case "multi_conversations_select":
      return { type, selected_conversations: e.initial_conversations ?? [] };
    default:
      return undefined;
  }
}

/** elementsOf lists a block's own interactive elements; those of blocks inside it are not among them. */
export function elementsOf(b: Block): Element[] {
  const single = [b["accessory"], b["element"]].filter(isElement);
  const many = Array.isArray(b["elements"]) ? b["elements"].filter(isElement) : [];
  return [...single, ...many];
}

/** children lists the blocks that stand inside a block. */
export function children(b: Block): Block[] {
  const inContainer = Array.isArray(b["child_blocks"]) ? (b["child_blocks"] as Block[]) : [];
  const rows = Array.isArray(b["rows"]) && b.type === "layout" ? (b["rows"] as { items?: { block: Block }[] }[]) : [];
  return [...inContainer, ...rows.flatMap((r) => (r.items ?? []).map((i) => i.block))];
}

export function initialValues(blocks: Block[]): Values {
  const values: Values = {};
  for (const b of blocks) {
    Object.assign(values, initialValues(children(b)));
    for (const e of elementsOf(b)) {
      const v = initialValue(e);
      if (v && e.action_id) values[blockID(b)] = { ...values[blockID(b)], [e.action_id]: v };
    }
  }
  return values;
}

/** blockID is empty only for blocks the server has not named; Slack and the sandbox name every block. */
export const blockID = (b: Block): string => b.block_id ?? "";

function isElement(x: unknown): x is Element {
  return typeof x === "object" && x !== null && typeof (x as Element).type === "string";
}

/** allOptions flattens groups. */
export function allOptions(l: OptionList): Option[] {
  return l.option_groups ? l.option_groups.flatMap((g) => g.options) : (l.options ?? []);
}
