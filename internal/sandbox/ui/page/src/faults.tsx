// The panel that moves the clock and switches faults on.
import { useState, type ReactNode } from "react";
import { advance, setFaults } from "./api.ts";
import { usePeople } from "./people.tsx";
import type { Answer, Fault, FaultValue } from "./types.ts";

interface Props {
  clock: string;
  waiting: number;
  faults: Record<string, FaultValue>;
  list: Fault[];
  connections: number;
}

/** useRequest runs one request at a time and keeps its failure for showing. */
function useRequest(): { busy: boolean; failed: string; run(what: () => Promise<Answer>): void } {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState("");
  async function go(what: () => Promise<Answer>): Promise<void> {
    setBusy(true);
    setFailed("");
    try {
      const a = await what();
      if (!a.ok) setFailed(a.error ?? "refused");
    } catch (err) {
      setFailed(err instanceof Error ? err.message : String(err));
    } finally {
      setBusy(false);
    }
  }
  return { busy, failed, run: (what) => void go(what) };
}

export function TimeAndFaults({ clock, waiting, faults, list, connections }: Props) {
  const request = useRequest();
  const { times } = usePeople();
  const at = new Date(clock);
  const valid = !Number.isNaN(at.getTime());
  const groups = [...new Set(list.map((f) => f.group))];
  const on = list.filter((f) => Boolean(faults[f.name]));
  return (
    <div className="controls" data-testid="controls">
      <section>
        <h3>Time</h3>
        <p className="clock">
          <time dateTime={clock} data-testid="clock">{valid ? times.dayAndYear(at) : clock}</time>
          {valid && <span>{times.timeOfDay(at)}</span>}
        </p>
        <div className="row">
          <button type="button" className="btn" data-testid="advance-day" disabled={request.busy} onClick={() => request.run(() => advance(24))}>+ 1 day</button>
          <button type="button" className="btn" data-testid="advance-week" disabled={request.busy} onClick={() => request.run(() => advance(7 * 24))}>+ 1 week</button>
          <button type="button" className="btn" data-testid="skip-week" disabled={request.busy} title="As if the app had been off for a week: what was due comes late" onClick={() => request.run(() => advance(7 * 24, true))}>Skip a week</button>
        </div>
        {request.busy && (
          <p className="help" role="status" data-testid="travelling">
            {waiting > 0 ? `Waiting for ${waiting} ${waiting === 1 ? "digest or alert" : "digests and alerts"} due now…` : "Moving the clock…"}
          </p>
        )}
        <p className="help">Moves the workspace and the tenant: roll-outs go on, updates are superseded. The clock stops at each digest and alert that is due, and moves on when it is posted. <i>Skip a week</i> is a week in which the app was off: what was due comes late.</p>
      </section>
      <section>
        <h3>App</h3>
        <p className={connections > 0 ? "state good" : "state bad"} data-testid="connections">
          {connections === 0 ? "Not connected" : `${connections} socket connection${connections === 1 ? "" : "s"}`}
        </p>
      </section>
      {groups.map((g) => (
        <section key={g}>
          <h3>{g} faults</h3>
          {list.filter((f) => f.group === g).map((f) => (
            <FaultRow key={f.name} fault={f} value={faults[f.name]} onSet={(v) => request.run(() => setFaults({ [f.name]: v }))} />
          ))}
        </section>
      ))}
      {on.length > 0 && (
        <button
          type="button"
          className="btn"
          data-testid="faults-off"
          onClick={() => request.run(() => setFaults(Object.fromEntries(on.map((f) => [f.name, off(faults[f.name])]))))}
        >
          Switch all faults off
        </button>
      )}
      {request.failed && <p className="modal-failed" role="alert">⚠ {request.failed}</p>}
    </div>
  );
}

/** off gives the value of the same type that means nothing is wrong. */
function off(v: FaultValue | undefined): FaultValue {
  return typeof v === "string" ? "" : typeof v === "number" ? 0 : false;
}

interface RowProps {
  fault: Fault;
  value: FaultValue | undefined;
  onSet(v: FaultValue): void;
}

function FaultRow({ fault, value, onSet }: RowProps) {
  const id = `fault-${fault.name}`;
  const row = (control: ReactNode) => (
    <div className="fault">
      <label htmlFor={id}>{fault.label}{fault.help && <small>{fault.help}</small>}</label>
      {control}
    </div>
  );
  if (fault.kind === "action") {
    return row(<button type="button" id={id} className="btn" data-testid={id} onClick={() => onSet(true)}>Now</button>);
  }
  if (fault.kind === "bool") {
    return row(<input type="checkbox" role="switch" id={id} className="switch" data-testid={id} checked={value === true} onChange={(e) => onSet(e.target.checked)} />);
  }
  if (fault.options?.length) {
    return row(
      <select id={id} className="field" data-testid={id} value={String(value ?? "")} onChange={(e) => onSet(e.target.value)}>
        {fault.options.map((o) => <option key={o} value={o}>{o || "off"}</option>)}
      </select>,
    );
  }
  return row(<TypedFault key={String(value)} id={id} value={value} onSet={onSet} />);
}

/** TypedFault is sent when the person leaves the field or presses Enter. */
function TypedFault({ id, value, onSet }: { id: string; value: FaultValue | undefined; onSet(v: FaultValue): void }) {
  const [text, setText] = useState(String(value ?? ""));
  const numeric = typeof value === "number";
  const done = () => text !== String(value ?? "") && onSet(numeric ? Number(text) : text);
  return (
    <input
      id={id}
      className="field"
      type={numeric ? "number" : "text"}
      data-testid={id}
      value={text}
      placeholder="off"
      onChange={(e) => setText(e.target.value)}
      onBlur={done}
      onKeyDown={(e) => e.key === "Enter" && done()}
    />
  );
}
