// A list or menu that hangs on a control. It lies in the browser's top layer, so no scrolling box cuts it off, and
// opens upwards where there is no room below.
import { useLayoutEffect, useRef, type HTMLAttributes, type ReactNode, type RefObject } from "react";

interface Props extends HTMLAttributes<HTMLDivElement> {
  anchor: RefObject<HTMLElement | null>;
  align: "left" | "right";
  children: ReactNode;
}

const gap = 4;
const edge = 8;

function place(popup: HTMLElement, anchor: HTMLElement, align: Props["align"]): void {
  const a = anchor.getBoundingClientRect();
  popup.style.minWidth = `${align === "left" ? a.width : 0}px`;
  popup.style.maxHeight = "";
  const { width, height } = popup.getBoundingClientRect();
  const below = innerHeight - a.bottom - gap - edge;
  const above = a.top - gap - edge;
  const up = height > below && above > below;
  const shown = Math.min(height, up ? above : below);
  const left = align === "left" ? a.left : a.right - width;
  popup.style.maxHeight = `${Math.max(shown, 60)}px`;
  popup.style.left = `${Math.max(edge, Math.min(left, innerWidth - width - edge))}px`;
  popup.style.top = `${up ? a.top - gap - shown : a.bottom + gap}px`;
}

export function Popup({ anchor, align, children, ...rest }: Props) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    ref.current?.showPopover();
  }, []);
  // After every drawing: what is in it decides its size.
  useLayoutEffect(() => {
    const update = () => ref.current && anchor.current && place(ref.current, anchor.current, align);
    update();
    addEventListener("scroll", update, true);
    addEventListener("resize", update);
    return () => {
      removeEventListener("scroll", update, true);
      removeEventListener("resize", update);
    };
  });
  return <div ref={ref} popover="manual" {...rest}>{children}</div>;
}
