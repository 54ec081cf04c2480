// What was sent before, for the arrow keys in the composer. It lives as long as the page.
import { useRef } from "react";

export interface History {
  add(text: string): void;
  /** older and newer give the neighbour of what is shown; undefined at the ends. */
  older(current: string): string | undefined;
  newer(): string | undefined;
  /** reset forgets the place after the person typed. */
  reset(): void;
}

const limit = 100;

export function useHistory(): History {
  const entries = useRef<string[]>([]);
  const at = useRef(-1); // from the end: 0 is the newest; -1 is the draft
  const draft = useRef("");
  const pick = () => (at.current < 0 ? draft.current : entries.current.at(-1 - at.current));
  return {
    add(text) {
      if (entries.current.at(-1) !== text) entries.current = [...entries.current, text].slice(-limit);
      at.current = -1;
    },
    older(current) {
      if (at.current + 1 >= entries.current.length) return undefined;
      if (at.current < 0) draft.current = current;
      at.current++;
      return pick();
    },
    newer() {
      if (at.current < 0) return undefined;
      at.current--;
      return pick();
    },
    reset() {
      at.current = -1;
    },
  };
}
