/** NewMessages tells that something arrived below what is in view, and leads there. */
export function NewMessages({ onClick }: { onClick(): void }) {
  return (
    <div className="new-messages" role="status">
      <button type="button" className="btn primary" data-testid="new-messages" onClick={onClick}>New messages <span aria-hidden="true">↓</span></button>
    </div>
  );
}
