/** Replies says how many replies a message has, and opens them. */
export function Replies({ count, open, onOpen }: { count: number; open: boolean; onOpen(): void }) {
  return (
    <button type="button" className="link thread-toggle" aria-expanded={open} aria-controls="thread" data-testid="thread-toggle" onClick={onOpen}>
      {count === 1 ? "1 reply" : `${count} replies`}
    </button>
  );
}
