// Keeps the newest message in view, and tells when one arrived out of sight.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Message } from "./types.ts";

/** From the end to here counts as being at the end. */
const nearPX = 80;

/**
 * useStickyBottom keeps the newest message in view unless the person scrolled away from it; then unseen tells that
 * something arrived below. What the person wrote is always scrolled to, as Slack does, and so is the answer to a command
 * that was just sent.
 */
export function useStickyBottom(last: Message | undefined, me: string) {
  const ref = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  const newest = useRef(last?.ts ?? "");
  const [unseen, setUnseen] = useState(false);
  const toEnd = useCallback(() => {
    stuck.current = true;
    setUnseen(false);
    if (ref.current) ref.current.scrollTop = ref.current.scrollHeight;
  }, []);
  useLayoutEffect(() => {
    const arrived = last !== undefined && last.ts > newest.current;
    newest.current = last?.ts ?? "";
    if (arrived && last.user === me) stuck.current = true;
    if (stuck.current) toEnd();
    else if (arrived) setUnseen(true);
  }, [last, me, toEnd]);
  useEffect(() => {
    const el = ref.current;
    if (!el) return;
    const onScroll = () => {
      stuck.current = el.scrollHeight - el.scrollTop - el.clientHeight < nearPX;
      if (stuck.current) setUnseen(false);
    };
    const grown = new ResizeObserver(() => {
      if (stuck.current) el.scrollTop = el.scrollHeight;
    });
    el.addEventListener("scroll", onScroll, { passive: true });
    grown.observe(el);
    if (el.firstElementChild) grown.observe(el.firstElementChild);
    return () => {
      el.removeEventListener("scroll", onScroll);
      grown.disconnect();
    };
  }, []);
  return { ref, unseen, toEnd };
}
