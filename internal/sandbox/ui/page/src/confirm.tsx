// The question that an element's confirm object asks before its action is sent.
import { useId } from "react";
import type { Confirm } from "./types.ts";
import { Dialog } from "./dialog.tsx";
import { Mrkdwn } from "./blocks/library.tsx";

export function ConfirmDialog({ confirm, onAnswer }: { confirm: Confirm; onAnswer(yes: boolean): void }) {
  const title = useId();
  return (
    <Dialog className="confirm" labelledBy={title} testID="confirm" onCancel={() => onAnswer(false)}>
      <h2 id={title}>{confirm.title?.text ?? "Are you sure?"}</h2>
      {confirm.text && <Mrkdwn text={confirm.text} />}
      <div className="dialog-buttons">
        <button type="button" className="btn" data-testid="confirm-deny" onClick={() => onAnswer(false)}>
          {confirm.deny?.text ?? "Cancel"}
        </button>
        <button
          type="button"
          className={confirm.style === "danger" ? "btn danger" : "btn primary"}
          data-testid="confirm-yes"
          data-first
          onClick={() => onAnswer(true)}
        >
          {confirm.confirm?.text ?? "Yes"}
        </button>
      </div>
    </Dialog>
  );
}
