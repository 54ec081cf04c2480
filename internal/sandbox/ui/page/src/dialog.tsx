// A modal window on the browser's own <dialog>: it keeps the focus inside, closes on Escape, and gives the focus back.
import { useEffect, useRef, type ReactNode } from "react";
import { createPortal } from "react-dom";

/** What has the focus first: what the dialog marks, else its first field; the browser would take the close button. */
const first = "[data-first], .modal-body :is(input, select, textarea)";

interface Props {
  className: string;
  labelledBy: string;
  testID: string;
  onCancel(): void;
  children: ReactNode;
}

export function Dialog({ className, labelledBy, testID, onCancel, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) {
      dialog.showModal();
      dialog.querySelector<HTMLElement>(first)?.focus();
    }
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  // Straight under body: a dialog inside a table or a button would be invalid, and clicks would reach what is behind.
  return createPortal(
    <dialog
      ref={ref}
      className={`dialog ${className}`}
      aria-labelledby={labelledBy}
      data-testid={testID}
      onCancel={(e) => {
        e.preventDefault();
        onCancel();
      }}
      onKeyDown={(e) => e.stopPropagation()}
    >
      {children}
    </dialog>,
    document.body,
  );
}
