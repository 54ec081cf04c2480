// The page's side of the UI API: one function per request. It knows no React and keeps no state.
import type { Answer, FaultValue, OptionList, State, Value, Values } from "./types.ts";

/** Where an interactive element stands: in a message or in a view. */
export interface Place {
  user: string;
  channel?: string;
  message_ts?: string;
  view_id?: string;
}

export interface Action extends Place, Partial<Value> {
  block_id?: string;
  action_id: string;
  state: { values: Values };
}

async function post<T>(path: string, body: unknown): Promise<T> {
  const res = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await res.text();
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error(`the sandbox answered ${res.status}: ${text.slice(0, 200)}`);
  }
  if (!res.ok) {
    const reason = (answer as { error?: string }).error ?? "no reason given";
    throw new Error(`the sandbox answered ${res.status}: ${reason}`);
  }
  return answer as T;
}

export async function readState(): Promise<State> {
  const res = await fetch("/ui/state");
  if (!res.ok) throw new Error(`the sandbox answered ${res.status}`);
  return (await res.json()) as State;
}

export const send = (m: { user: string; channel: string; text: string; thread_ts?: string }) => post<Answer>("/ui/send", m);
export const act = (a: Action) => post<Answer>("/ui/action", a);
export const suggest = (q: Place & { block_id?: string; action_id: string; value: string }) => post<OptionList>("/ui/suggest", q);
export const openHome = (user: string) => post<Answer>("/ui/home", { user });
export const shortcut = (user: string, callback_id: string, of?: { channel: string; message_ts: string }) =>
  post<Answer>("/ui/shortcut", { user, callback_id, ...of });
/** advance moves the clock; skip jumps, without waiting for what is due on the way. */
export const advance = (hours: number, skip = false) => post<Answer>("/ui/clock", { advance: `${hours}h`, skip });
export const setFaults = (values: Record<string, FaultValue>) => post<Answer>("/ui/faults", values);

export interface ViewAnswer extends Answer {
  errors?: Record<string, string> | null;
}

export const viewOp = (v: { user: string; view_id: string; op: "submit" | "close"; state: { values: Values } }) =>
  post<ViewAnswer>("/ui/view", v);
