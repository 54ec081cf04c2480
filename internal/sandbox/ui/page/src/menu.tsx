// A menu behind three dots. Arrow keys move in it, Escape closes it.
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { Popup } from "./popup.tsx";

export interface MenuItem {
  key: string;
  label: ReactNode;
  /** Smaller, below the label. */
  small?: string | undefined;
  onChoose(): void;
}

interface Props {
  /** What the three dots do, for people who do not see them. */
  label: string;
  testid: string;
  actionID?: string | undefined;
  busy?: boolean;
  items: MenuItem[];
}

export function Menu({ label, testid, actionID, busy, items }: Props) {
  const [open, setOpen] = useState(false);
  const menu = useId();
  const root = useRef<HTMLSpanElement>(null);
  const opener = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!open) return;
    root.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const outside = (ev: PointerEvent) => {
      if (!root.current?.contains(ev.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);

  function choose(item: MenuItem): void {
    setOpen(false);
    opener.current?.focus();
    item.onChoose();
  }

  function onKey(ev: KeyboardEvent): void {
    const entries = [...(root.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const at = entries.indexOf(document.activeElement as HTMLElement);
    const next: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 };
    const to = next[ev.key];
    if (ev.key === "Escape" || ev.key === "Tab") {
      setOpen(false);
      if (ev.key === "Escape") {
        ev.stopPropagation();
        opener.current?.focus();
      }
    } else if (to !== undefined) {
      ev.preventDefault();
      entries[(to + entries.length) % entries.length]?.focus();
    }
  }

  return (
    <span className="menu-root" ref={root}>
      <button
        ref={opener}
        type="button"
        className={`btn icon${busy ? " busy" : ""}`}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? menu : undefined}
        data-testid={testid}
        data-action-id={actionID}
        onClick={() => setOpen(!open)}
      >
        <span aria-hidden="true">⋯</span>
      </button>
      {open && (
        <Popup anchor={opener} align="right" className="menu" role="menu" id={menu} onKeyDown={onKey}>
          {items.map((item) => (
            <button key={item.key} type="button" role="menuitem" tabIndex={-1} onClick={() => choose(item)}>
              {item.label}
              {item.small && <small>{item.small}</small>}
            </button>
          ))}
        </Popup>
      )}
    </span>
  );
}
