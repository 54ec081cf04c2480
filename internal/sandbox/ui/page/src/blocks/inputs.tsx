// Elements that hold a value: text, dates, choices. Menus are in select.tsx.
import { useId, type KeyboardEvent } from "react";
import type { Element, Option, Value } from "../types.ts";
import { useSurface } from "./surface.tsx";
import { useAction, type ActionHandle } from "./use_action.tsx";
import { initialValue } from "./values.ts";
import { EmojiText } from "./emoji_text.tsx";
import { Mrkdwn } from "./library.tsx";

export interface FieldProps {
  blockID: string;
  e: Element;
  /** Whether a change is sent at once: always outside of input blocks, inside only with dispatch_action. */
  dispatch: boolean;
  /** The id of the control, for its label; and what describes it. */
  id?: string | undefined;
  describedBy?: string | undefined;
  invalid?: boolean | undefined;
}

export interface Field extends ActionHandle {
  value: Value | undefined;
  change(v: Value): void;
}

/** useField connects an element with the surface's values. A refused confirm question puts the old value back. */
export function useField({ blockID, e, dispatch }: FieldProps): Field {
  const surface = useSurface();
  const id = e.action_id ?? "";
  const value = surface.values[blockID]?.[id] ?? initialValue(e);
  const action = useAction(blockID, e, () => value && surface.setValue(blockID, id, value));
  return {
    ...action,
    value,
    change(v) {
      surface.setValue(blockID, id, v);
      if (dispatch) action.run(v);
    },
  };
}

const inputTypes: Record<string, string> = {
  email_text_input: "email", url_text_input: "url", number_input: "number",
};

/** TextInput is a line or an area of text. It is sent, if at all, on Enter or at each character, as its element says. */
export function TextInput(p: FieldProps) {
  const { e } = p;
  const field = useField({ ...p, dispatch: false });
  const triggers = e.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  const value = (v: string): Value => ({ type: e.type, value: v === "" ? null : v });
  const shared = {
    id: p.id,
    className: "field",
    value: field.value?.value ?? "",
    placeholder: e.placeholder?.text,
    minLength: e.min_length,
    maxLength: e.max_length,
    "data-action-id": e.action_id,
    "data-testid": "input",
    "aria-describedby": p.describedBy,
    "aria-invalid": p.invalid,
    autoFocus: e.focus_on_load,
    onChange: (ev: { target: { value: string } }) => {
      field.change(value(ev.target.value));
      if (p.dispatch && triggers.includes("on_character_entered")) field.run(value(ev.target.value));
    },
    onKeyDown: (ev: KeyboardEvent<HTMLInputElement | HTMLTextAreaElement>) => {
      if (ev.key !== "Enter" || !p.dispatch || !triggers.includes("on_enter_pressed")) return;
      ev.preventDefault();
      field.run(value(ev.currentTarget.value));
    },
  };
  if (e.multiline) return <span className="element wide"><textarea rows={4} {...shared} />{field.note}</span>;
  return (
    <span className="element wide">
      <input
        type={inputTypes[e.type] ?? "text"}
        {...(e.type === "number_input" && { min: e.min_value, max: e.max_value, step: e.is_decimal_allowed ? "any" : 1 })}
        {...shared}
      />
      {field.note}
    </span>
  );
}

function pad(n: number): string {
  return String(n).padStart(2, "0");
}

function localDateTime(seconds: number): string {
  const d = new Date(seconds * 1000);
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}T${pad(d.getHours())}:${pad(d.getMinutes())}`;
}

/** DateInput is datepicker, timepicker and datetimepicker on the browser's own controls. */
export function DateInput(p: FieldProps) {
  const { e } = p;
  const field = useField(p);
  const kinds = {
    datepicker: ["date", field.value?.selected_date ?? "", (v: string): Value => ({ type: e.type, selected_date: v || null })],
    timepicker: ["time", field.value?.selected_time ?? "", (v: string): Value => ({ type: e.type, selected_time: v || null })],
    datetimepicker: [
      "datetime-local",
      field.value?.selected_date_time ? localDateTime(field.value.selected_date_time) : "",
      (v: string): Value => ({ type: e.type, selected_date_time: v ? new Date(v).getTime() / 1000 : null }),
    ],
  } as const;
  const [type, value, make] = kinds[e.type as keyof typeof kinds];
  return (
    <span className="element">
      <input
        type={type}
        id={p.id}
        className={`field short${field.busy ? " busy" : ""}`}
        value={value}
        data-action-id={e.action_id}
        data-testid="input"
        aria-label={p.id ? undefined : (e.placeholder?.text ?? "Date or time")}
        aria-describedby={p.describedBy}
        aria-invalid={p.invalid}
        onChange={(ev) => field.change(make(ev.target.value))}
      />
      {field.note}
    </span>
  );
}

/** Choices is a group of radio buttons or checkboxes. */
export function Choices(p: FieldProps) {
  const { e } = p;
  const field = useField(p);
  const name = useId();
  const many = e.type === "checkboxes";
  const chosen = many ? (field.value?.selected_options ?? []) : field.value?.selected_option ? [field.value.selected_option] : [];
  const has = (o: Option) => chosen.some((c) => c.value === o.value);

  function toggle(o: Option): void {
    if (!many) return field.change({ type: e.type, selected_option: o });
    const rest = (e.options ?? []).filter((x) => (x.value === o.value ? !has(x) : has(x)));
    field.change({ type: e.type, selected_options: rest });
  }

  return (
    <span className="element">
      <span className="choices" role={many ? "group" : "radiogroup"} aria-labelledby={p.id ? `${p.id}-label` : undefined} aria-describedby={p.describedBy} data-action-id={e.action_id}>
        {(e.options ?? []).map((o, i) => (
          <label key={i} className="choice">
            <input type={many ? "checkbox" : "radio"} name={name} checked={has(o)} onChange={() => toggle(o)} />
            <span>
              {o.text.type === "mrkdwn" ? <Mrkdwn text={o.text} /> : <EmojiText text={o.text.text} />}
              {o.description && <small>{o.description.text}</small>}
            </span>
          </label>
        ))}
      </span>
      {field.note}
    </span>
  );
}
