// Sending one element's action: the confirm question before it, the busy time, and what is shown if the app kept silent.
import { useRef, useState, type ReactNode } from "react";
import type { Confirm, Element, Value } from "../types.ts";
import { failure } from "../format.ts";
import { ConfirmDialog } from "../confirm.tsx";
import { useSurface } from "./surface.tsx";

export interface ActionHandle {
  busy: boolean;
  /** run asks first when the element wants that, then sends. */
  run(v: Value): void;
  /** note is the confirm dialog and the failure mark; the element puts it after itself. */
  note: ReactNode;
}

export function useAction(blockID: string, e: Element, refused?: () => void): ActionHandle {
  const surface = useSurface();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState("");
  const [asking, setAsking] = useState<Value | null>(null);
  const running = useRef(false);

  async function sendNow(v: Value): Promise<void> {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setFailed("");
    try {
      setFailed(failure(await surface.act(blockID, e, v)));
    } catch (err) {
      setFailed(err instanceof Error ? err.message : String(err));
    } finally {
      running.current = false;
      setBusy(false);
    }
  }

  const note = (
    <>
      {failed && <span className="action-failed" role="alert" data-testid="action-failed"><span aria-hidden="true">⚠ </span>{failed}</span>}
      {asking && e.confirm && (
        <ConfirmDialog
          confirm={e.confirm as Confirm}
          onAnswer={(yes) => {
            setAsking(null);
            if (yes) void sendNow(asking);
            else refused?.();
          }}
        />
      )}
    </>
  );
  return { busy, note, run: (v) => (e.confirm ? setAsking(v) : void sendNow(v)) };
}
