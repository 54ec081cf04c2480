// The modal that an app has open for this person: the top of a stack of up to three views.
import { useCallback, useId, useMemo, useRef, useState } from "react";
import { viewOp } from "./api.ts";
import type { Values, View } from "./types.ts";
import { usePeople } from "./people.tsx";
import { Dialog } from "./dialog.tsx";
import { Blocks } from "./blocks/blocks.tsx";
import { SurfaceProvider } from "./blocks/surface.tsx";
import { emojify } from "./blocks/emoji_text.tsx";

export function Modals({ stack }: { stack: View[] }) {
  const top = stack.at(-1);
  return top ? <Modal key={top.id} view={top} depth={stack.length} /> : null;
}

function Modal({ view, depth }: { view: View; depth: number }) {
  const { me } = usePeople();
  const title = useId();
  const values = useRef<Values>({});
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [failed, setFailed] = useState("");
  const place = useMemo(() => ({ user: me, view_id: view.id }), [me, view.id]);
  const onValues = useCallback((v: Values) => {
    values.current = v;
  }, []);

  async function run(op: "submit" | "close"): Promise<void> {
    setBusy(true);
    setFailed("");
    setErrors({});
    try {
      const answer = await viewOp({ user: me, view_id: view.id, op, state: { values: values.current } });
      if (answer.errors && Object.keys(answer.errors).length > 0) setErrors(answer.errors);
      else if (!answer.ok) setFailed(answer.error ?? "The app did not respond. Try again.");
    } catch (err) {
      setFailed(err instanceof Error ? err.message : String(err));
    } finally {
      setBusy(false);
    }
  }

  const heading = emojify(view.title?.text ?? "");
  return (
    <Dialog className="modal" labelledBy={title} testID="modal" onCancel={() => void run("close")}>
      <form
        noValidate
        onSubmit={(e) => {
          e.preventDefault();
          void run("submit");
        }}
      >
        <header className="modal-head">
          {depth > 1 && <button type="button" className="btn icon" aria-label="Back" onClick={() => void run("close")}>‹</button>}
          <h2 id={title}>{heading}</h2>
          <button type="button" className="btn icon" aria-label="Close" data-testid="modal-close" onClick={() => void run("close")}>
            <span aria-hidden="true">×</span>
          </button>
        </header>
        <div className="modal-body">
          <SurfaceProvider kind="modal" place={place} blocks={view.blocks} errors={errors} onValues={onValues}>
            <Blocks blocks={view.blocks} />
          </SurfaceProvider>
        </div>
        {failed && <p className="modal-failed" role="alert">⚠ {failed}</p>}
        <footer className="dialog-buttons">
          <button type="button" className="btn" data-testid="modal-cancel" onClick={() => void run("close")}>{view.close?.text ?? "Cancel"}</button>
          {view.submit && (
            <button type="submit" className={`btn primary${busy ? " busy" : ""}`} data-testid="modal-submit" disabled={busy} aria-busy={busy}>
              <span className="btn-label">{view.submit.text}</span>
            </button>
          )}
        </footer>
      </form>
    </Dialog>
  );
}
