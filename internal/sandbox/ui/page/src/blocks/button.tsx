// Buttons and the overflow menu: elements that send an action and hold no value.
import { useState } from "react";
import type { Element, Option, Value } from "../types.ts";
import { useAction } from "./use_action.tsx";
import { Menu } from "../menu.tsx";
import { EmojiText } from "./emoji_text.tsx";

interface Props {
  blockID: string;
  e: Element;
}

function buttonValue(e: Element): Value {
  return e.value === undefined ? { type: e.type } : { type: e.type, value: e.value };
}

export function Button({ blockID, e }: Props) {
  const { busy, run, note } = useAction(blockID, e);
  const style = e.style === "primary" || e.style === "danger" ? ` ${e.style}` : "";
  const shared = {
    className: `btn${style}${busy ? " busy" : ""}`,
    "data-testid": "button",
    "data-action-id": e.action_id,
    "aria-busy": busy,
    "aria-label": e.accessibility_label,
  };
  const label = <span className="btn-label"><EmojiText text={e.text?.text ?? e.type} /></span>;
  // A URL button opens its page and tells the app as well, as Slack does.
  if (e.url && /^https?:/i.test(e.url)) {
    return (
      <span className="element">
        <a {...shared} href={e.url} target="_blank" rel="noopener noreferrer" onClick={() => run(buttonValue(e))}>
          {label}
          <span className="external" aria-hidden="true">↗</span>
        </a>
        {note}
      </span>
    );
  }
  return (
    <span className="element">
      <button type="button" {...shared} onClick={() => run(buttonValue(e))}>
        {label}
      </button>
      {note}
    </span>
  );
}

/** IconButton is an element of context_actions. */
export function IconButton({ blockID, e }: Props) {
  const { busy, run, note } = useAction(blockID, e);
  return (
    <span className="element">
      <button type="button" className="btn icon" aria-busy={busy} aria-label={e.accessibility_label ?? e.text?.text} title={e.text?.text} onClick={() => run(buttonValue(e))}>
        {e.icon === "trash" ? "🗑" : (e.text?.text ?? e.icon)}
      </button>
      {note}
    </span>
  );
}

/** Feedback is the pair of thumbs of context_actions. */
export function Feedback({ blockID, e }: Props) {
  const { busy, run, note } = useAction(blockID, e);
  const [chosen, setChosen] = useState("");
  const buttons = [["👍", e.positive_button], ["👎", e.negative_button]] as const;
  return (
    <span className="element feedback" role="group" aria-label="Feedback">
      {buttons.map(([sign, b]) => b && (
        <button
          key={sign}
          type="button"
          className="btn icon"
          aria-busy={busy}
          aria-pressed={chosen === b.value}
          aria-label={b.accessibility_label ?? b.text.text}
          title={b.text.text}
          onClick={() => {
            setChosen(b.value);
            run({ type: e.type, value: b.value });
          }}
        >
          {sign}
        </button>
      ))}
      {note}
    </span>
  );
}

/** Overflow is the menu behind three dots. */
export function Overflow({ blockID, e }: Props) {
  const { busy, run, note } = useAction(blockID, e);

  function choose(o: Option): void {
    if (o.url && /^https?:/i.test(o.url)) window.open(o.url, "_blank", "noopener,noreferrer");
    run({ type: e.type, selected_option: o });
  }

  const items = (e.options ?? []).map((o, i) => ({
    key: String(i),
    label: <EmojiText text={o.text.text} />,
    small: o.description?.text,
    onChoose: () => choose(o),
  }));
  return (
    <span className="element overflow">
      <Menu label="More actions" testid="overflow" actionID={e.action_id} busy={busy} items={items} />
      {note}
    </span>
  );
}
