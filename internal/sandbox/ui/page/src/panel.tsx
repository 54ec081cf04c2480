// The panel on the right with its two tabs.
import { useRef, type KeyboardEvent } from "react";
import type { State } from "./types.ts";
import { usePref } from "./prefs.ts";
import { Wire } from "./wire.tsx";
import { TimeAndFaults } from "./faults.tsx";

type Tab = "wire" | "time";

const tabs: [Tab, string][] = [["wire", "Wire"], ["time", "Time & faults"]];

export function Panel({ state, onClose }: { state: State; onClose(): void }) {
  const [tab, setTab] = usePref<Tab>("tab", "wire");
  const list = useRef<HTMLDivElement>(null);

  function onKey(e: KeyboardEvent): void {
    if (e.key !== "ArrowLeft" && e.key !== "ArrowRight") return;
    const next: Tab = tab === "wire" ? "time" : "wire";
    setTab(next);
    list.current?.querySelector<HTMLElement>(`#tab-${next}`)?.focus();
  }

  return (
    <aside className="panel" id="panel" aria-label="Under the hood">
      <div className="panel-head">
        <div role="tablist" aria-label="Under the hood" ref={list} onKeyDown={onKey}>
          {tabs.map(([id, name]) => (
            <button
              key={id}
              type="button"
              role="tab"
              id={`tab-${id}`}
              aria-selected={tab === id}
              aria-controls="tab-content"
              tabIndex={tab === id ? 0 : -1}
              data-testid={`tab-${id}`}
              onClick={() => setTab(id)}
            >
              {name}
            </button>
          ))}
        </div>
        <button type="button" className="btn icon" aria-label="Close the panel" data-testid="close-panel" onClick={onClose}><span aria-hidden="true">×</span></button>
      </div>
      <div className="panel-body" role="tabpanel" id="tab-content" aria-labelledby={`tab-${tab}`}>
        {tab === "wire"
          ? <Wire trace={state.trace} />
          : <TimeAndFaults clock={state.clock} waiting={state.waiting ?? 0} faults={state.faults} list={state.fault_list} connections={state.connections} />}
      </div>
    </aside>
  );
}
