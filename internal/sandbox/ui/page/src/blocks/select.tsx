// Menus: one of several (the browser's own select), many of several and external ones (a combobox with a list).
import type { Element, Option, OptionList, Value } from "../types.ts";
import { usePeople, type People } from "../people.tsx";
import { displayName } from "../format.ts";
import { useField, type FieldProps } from "./inputs.tsx";
import { useSurface } from "./surface.tsx";
import { allOptions } from "./values.ts";
import { Combobox } from "./combobox.tsx";
import { emojify } from "./emoji_text.tsx";

/** What is chosen from: the element's own options, the app's, or the workspace's people or channels. */
type Source = "static" | "external" | "users" | "channels" | "conversations";

const fieldsOf: Record<Source, [one: keyof Value, many: keyof Value]> = {
  static: ["selected_option", "selected_options"],
  external: ["selected_option", "selected_options"],
  users: ["selected_user", "selected_users"],
  channels: ["selected_channel", "selected_channels"],
  conversations: ["selected_conversation", "selected_conversations"],
};

export function Select(p: FieldProps) {
  const { e } = p;
  const many = e.type.startsWith("multi_");
  const source = e.type.replace(/^multi_/, "").replace(/_select$/, "") as Source;
  const people = usePeople();
  const surface = useSurface();
  const field = useField(p);
  const list = listOf(source, e, people);
  const chosen = chosenOptions(field.value, source, many, list);

  function change(options: Option[]): void {
    const [one, several] = fieldsOf[source];
    const held = source === "static" || source === "external" ? options : options.map((o) => o.value);
    field.change({ type: e.type, ...(many ? { [several]: held } : { [one]: held[0] ?? null }) });
  }

  const label = e.placeholder?.text ?? "Choose";
  if (!many && source !== "external") {
    return (
      <span className="element">
        <NativeSelect p={p} list={list} chosen={chosen[0]} busy={field.busy} label={label} onChange={(o) => change(o ? [o] : [])} />
        {field.note}
      </span>
    );
  }
  return (
    <span className="element">
      <Combobox
        id={p.id}
        actionID={e.action_id}
        label={label}
        describedBy={p.describedBy}
        invalid={p.invalid}
        busy={field.busy}
        many={many}
        max={e.max_selected_items}
        chosen={chosen}
        list={source === "external" ? undefined : list}
        minQuery={e.min_query_length ?? 3}
        ask={(q) => surface.suggest(p.blockID, e.action_id ?? "", q)}
        onChange={change}
      />
      {field.note}
    </span>
  );
}

function listOf(source: Source, e: Element, people: People): OptionList {
  const option = (value: string, text: string): Option => ({ value, text: { type: "plain_text", text } });
  const channels = people.channels.map((c) => option(c.id, `${c.is_im ? "" : "#"}${c.name}`));
  switch (source) {
    case "users":
      return { options: [...people.users.values()].map((u) => option(u.id, displayName(u, u.id))) };
    case "channels":
      return { options: channels.filter((o) => people.channels.some((c) => c.id === o.value && !c.is_im && !c.is_private)) };
    case "conversations":
      return { options: channels };
    default:
      return { options: e.options ?? null, option_groups: e.option_groups ?? null };
  }
}

function chosenOptions(v: Value | undefined, source: Source, many: boolean, list: OptionList): Option[] {
  const [one, several] = fieldsOf[source];
  const held = (many ? v?.[several] : v?.[one]) ?? [];
  const values = (Array.isArray(held) ? held : [held]) as (Option | string)[];
  const known = allOptions(list);
  return values.flatMap((x) => (typeof x === "string" ? (known.find((o) => o.value === x) ?? []) : x));
}

interface NativeProps {
  p: FieldProps;
  list: OptionList;
  chosen: Option | undefined;
  busy: boolean;
  label: string;
  onChange(o: Option | undefined): void;
}

function NativeSelect({ p, list, chosen, busy, label, onChange }: NativeProps) {
  const options = allOptions(list);
  const choice = (o: Option) => <option key={o.value} value={o.value}>{emojify(o.text.text)}</option>;
  return (
    <select
      id={p.id}
      className={`field short${busy ? " busy" : ""}`}
      value={chosen?.value ?? ""}
      aria-label={p.id ? undefined : label}
      aria-describedby={p.describedBy}
      aria-invalid={p.invalid}
      aria-busy={busy}
      data-testid="select"
      data-action-id={p.e.action_id}
      onChange={(ev) => onChange(options.find((o) => o.value === ev.target.value))}
    >
      <option value="" disabled={!p.id} hidden={!p.id}>{label}</option>
      {list.option_groups
        ? list.option_groups.map((g, i) => <optgroup key={i} label={g.label.text}>{g.options.map(choice)}</optgroup>)
        : options.map(choice)}
    </select>
  );
}
