// A text field with a list of options under it, after the ARIA combobox pattern. The options are given or asked for.
import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import type { Option, OptionList } from "../types.ts";
import { allOptions } from "./values.ts";
import { Popup } from "../popup.tsx";
import { emojify } from "./emoji_text.tsx";

interface Props {
  id?: string | undefined;
  actionID?: string | undefined;
  label: string;
  describedBy?: string | undefined;
  invalid?: boolean | undefined;
  busy: boolean;
  many: boolean;
  max?: number | undefined;
  chosen: Option[];
  /** The options; undefined when they are asked for. */
  list: OptionList | undefined;
  minQuery: number;
  ask(query: string): Promise<OptionList>;
  onChange(chosen: Option[]): void;
}

/** Slack asks the app after a short pause in the typing. */
const pauseMS = 250;

type Asked = { list: OptionList; note: string };

function useOptions(open: boolean, query: string, p: Props): Asked {
  const [asked, setAsked] = useState<Asked>({ list: {}, note: "" });
  const ask = useRef(p.ask);
  ask.current = p.ask;
  const external = p.list === undefined;
  const short = query.length < p.minQuery;
  useEffect(() => {
    if (!open || !external || short) return;
    let stale = false;
    setAsked((a) => ({ ...a, note: "Searching…" }));
    const timer = setTimeout(() => {
      ask.current(query).then(
        (list) => !stale && setAsked({ list, note: allOptions(list).length ? "" : "No results" }),
        (err: unknown) => !stale && setAsked({ list: {}, note: `The options could not be loaded: ${String(err)}` }),
      );
    }, pauseMS);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [open, external, short, query]);

  if (p.list) {
    const list = filter(p.list, query);
    return { list, note: allOptions(list).length ? "" : "No results" };
  }
  if (short) return { list: {}, note: `Type at least ${p.minQuery} character${p.minQuery === 1 ? "" : "s"}` };
  return asked;
}

function filter(list: OptionList, query: string): OptionList {
  const q = query.toLowerCase();
  const fits = (o: Option) => o.text.text.toLowerCase().includes(q);
  if (!list.option_groups) return { options: (list.options ?? []).filter(fits) };
  return {
    option_groups: list.option_groups
      .map((g) => ({ ...g, options: g.options.filter(fits) }))
      .filter((g) => g.options.length > 0),
  };
}

export function Combobox(p: Props) {
  const [open, setOpen] = useState(false);
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const base = useId();
  const { list, note } = useOptions(open, query, p);
  const options = allOptions(list);
  const single = p.many ? undefined : p.chosen[0];

  const isChosen = (o: Option) => p.chosen.some((c) => c.value === o.value);
  const full = p.many && p.max !== undefined && p.chosen.length >= p.max;

  function close(): void {
    setOpen(false);
    setQuery("");
    setActive(-1);
  }

  function choose(o: Option): void {
    if (!p.many) {
      p.onChange([o]);
      close();
    } else if (isChosen(o)) p.onChange(p.chosen.filter((c) => c.value !== o.value));
    else if (!full) p.onChange([...p.chosen, o]);
  }

  function onKey(ev: KeyboardEvent): void {
    const move: Record<string, number> = { ArrowDown: active + 1, ArrowUp: active < 0 ? options.length - 1 : active - 1 };
    const to = move[ev.key];
    const pointed = options[active];
    if (to !== undefined) {
      ev.preventDefault();
      setOpen(true);
      if (options.length) setActive((to + options.length) % options.length);
    } else if (ev.key === "Enter" && open && pointed) {
      ev.preventDefault();
      choose(pointed);
    } else if (ev.key === "Escape" && open) {
      ev.preventDefault();
      ev.stopPropagation();
      close();
    } else if (ev.key === "Backspace" && query === "" && p.chosen.length) p.onChange(p.chosen.slice(0, -1));
  }

  const shown = open || p.many ? query : single ? emojify(single.text.text) : "";
  let index = -1;
  const item = (o: Option) => {
    const at = ++index;
    return (
      <li
        key={o.value}
        id={`${base}-${at}`}
        role="option"
        aria-selected={isChosen(o)}
        className={at === active ? "active" : ""}
        onPointerDown={(ev) => ev.preventDefault()}
        onClick={() => choose(o)}
      >
        {emojify(o.text.text)}
        {o.description && <small>{o.description.text}</small>}
      </li>
    );
  };

  return (
    <span className={`combobox${p.busy ? " busy" : ""}`}>
      {p.many && p.chosen.map((o) => (
        <span key={o.value} className="chip">
          {emojify(o.text.text)}
          <button type="button" aria-label={`Remove ${o.text.text}`} onClick={() => p.onChange(p.chosen.filter((c) => c !== o))}>×</button>
        </span>
      ))}
      <input
        ref={input}
        id={p.id}
        className="field short"
        role="combobox"
        autoComplete="off"
        aria-label={p.id ? undefined : p.label}
        aria-expanded={open}
        aria-controls={`${base}-list`}
        aria-autocomplete="list"
        aria-activedescendant={open && active >= 0 ? `${base}-${active}` : undefined}
        aria-describedby={p.describedBy}
        aria-invalid={p.invalid}
        aria-busy={p.busy}
        data-testid="combobox"
        data-action-id={p.actionID}
        placeholder={single ? emojify(single.text.text) : p.label}
        value={shown}
        onFocus={() => setOpen(true)}
        onClick={() => setOpen(true)}
        onBlur={close}
        onChange={(ev) => {
          setQuery(ev.target.value);
          setActive(-1);
          setOpen(true);
        }}
        onKeyDown={onKey}
      />
      {open && (
        <Popup anchor={input} align="left" className="listbox">
          <ul role="listbox" id={`${base}-list`} aria-label={p.label} aria-multiselectable={p.many}>
            {list.option_groups
              ? list.option_groups.map((g, i) => (
                <li key={i} role="presentation">
                  <span className="group-label" id={`${base}-g${i}`}>{g.label.text}</span>
                  <ul role="group" aria-labelledby={`${base}-g${i}`}>{g.options.map(item)}</ul>
                </li>
              ))
              : options.map(item)}
          </ul>
          {note && <div className="note" role="status">{note}</div>}
        </Popup>
      )}
    </span>
  );
}
