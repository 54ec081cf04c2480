// What an interactive element needs from the message or view it stands in: where to send an action, where values are kept.
import { createContext, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { act, suggest, type Place } from "../api.ts";
import type { Answer, Block, Element, OptionList, Value, Values } from "../types.ts";
import { initialValues } from "./values.ts";

export interface Surface {
  kind: "message" | "home" | "modal";
  place: Place;
  values: Values;
  errors: Record<string, string>;
  setValue(blockID: string, actionID: string, v: Value): void;
  act(blockID: string, e: Element, v: Value): Promise<Answer>;
  suggest(blockID: string, actionID: string, query: string): Promise<OptionList>;
}

const SurfaceContext = createContext<Surface | null>(null);

export function useSurface(): Surface {
  const s = useContext(SurfaceContext);
  if (!s) throw new Error("an interactive element outside of a message or view");
  return s;
}

interface Props {
  kind: Surface["kind"];
  place: Place;
  blocks: Block[];
  errors?: Record<string, string>;
  onValues?(v: Values): void;
  children: ReactNode;
}

const none: Record<string, string> = {};

/**
 * SurfaceProvider keeps what people entered. An element that is new takes the value its block starts with; one that
 * was there before keeps what was entered, also when the app replaces the blocks.
 */
export function SurfaceProvider({ kind, place, blocks, errors = none, onValues, children }: Props) {
  const [entered, setEntered] = useState<Values>({});
  const values = useMemo(() => merge(initialValues(blocks), entered), [blocks, entered]);
  const latest = useRef(values);
  useEffect(() => {
    latest.current = values;
    onValues?.(values);
  }, [values, onValues]);

  const { user, channel, message_ts, view_id } = place;
  const surface = useMemo<Surface>(() => {
    const at: Place = { user, ...(channel && { channel }), ...(message_ts && { message_ts }), ...(view_id && { view_id }) };
    return {
      kind, place: at, values, errors,
      setValue(blockID, actionID, v) {
        latest.current = merge(latest.current, { [blockID]: { [actionID]: v } });
        setEntered((old) => merge(old, { [blockID]: { [actionID]: v } }));
      },
      act: (blockID, e, v) =>
        act({ ...at, ...v, block_id: blockID, action_id: e.action_id ?? "", state: { values: latest.current } }),
      suggest: (blockID, actionID, query) => suggest({ ...at, block_id: blockID, action_id: actionID, value: query }),
    };
  }, [kind, user, channel, message_ts, view_id, values, errors]);
  return <SurfaceContext value={surface}>{children}</SurfaceContext>;
}

/** merge lays b over a, element by element; an element that only b knows is kept for the time it comes back. */
function merge(a: Values, b: Values): Values {
  const out: Values = { ...a };
  for (const [block, elements] of Object.entries(b)) out[block] = { ...out[block], ...elements };
  return out;
}
