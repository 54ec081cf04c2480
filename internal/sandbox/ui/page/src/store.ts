// The live copy of the workspace's state. It reads /ui/state, follows /ui/events, and comes back by itself when the
// server was away. Components subscribe to it through useStore.
import { useSyncExternalStore } from "react";
import { readState } from "./api.ts";
import { reduce, type Event } from "./reduce.ts";
import type { State } from "./types.ts";

export interface Snapshot {
  state: State | null;
  live: boolean;
}

const eventTypes: Event["type"][] = [
  "message", "message_deleted", "view", "view_closed", "home", "trace", "clock", "faults", "connections",
];

class Store {
  private snapshot: Snapshot = { state: null, live: false };
  private readonly listeners = new Set<() => void>();
  private pending: Event[] | null = null; // what arrived while /ui/state was being read
  private queue: Event[] = [];
  private retryMS = 250;

  /** connect starts following the server. Call it once. */
  connect(): void {
    const source = new EventSource("/ui/events");
    source.onopen = () => {
      this.retryMS = 250;
      void this.reload();
    };
    source.onerror = () => {
      this.set({ ...this.snapshot, live: false });
      // The browser retries by itself unless the answer was not a stream.
      if (source.readyState === EventSource.CLOSED) this.later();
    };
    source.addEventListener("state_reset", () => void this.reload());
    for (const type of eventTypes) {
      source.addEventListener(type, (e) => {
        this.take({ type, data: JSON.parse((e as MessageEvent<string>).data) } as Event);
      });
    }
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly get = (): Snapshot => this.snapshot;

  private later(): void {
    setTimeout(() => this.connect(), this.retryMS);
    this.retryMS = Math.min(this.retryMS * 2, 5000);
  }

  /** reload replaces the state. Events that arrive meanwhile are applied after it, so none is lost. */
  private async reload(): Promise<void> {
    const pending: Event[] = (this.pending = []);
    try {
      const state = await readState();
      if (this.pending !== pending) return; // a newer reload took over
      this.set({ state: pending.reduce(reduce, state), live: true });
      this.pending = null;
    } catch {
      if (this.pending === pending) setTimeout(() => void this.reload(), 1000);
    }
  }

  private take(e: Event): void {
    if (this.pending) {
      this.pending.push(e);
      return;
    }
    // One render for a burst: a single command makes a dozen trace entries.
    if (this.queue.push(e) === 1) setTimeout(() => this.drain(), 0);
  }

  private drain(): void {
    const events = this.queue;
    this.queue = [];
    if (this.pending) {
      this.pending.push(...events);
      return;
    }
    const { state } = this.snapshot;
    if (state) this.set({ ...this.snapshot, state: events.reduce(reduce, state) });
  }

  private set(next: Snapshot): void {
    this.snapshot = next;
    for (const listener of this.listeners) listener();
  }
}

export const store = new Store();

/** useStore gives the state as it is now and draws again when it changes. */
export function useStore(): Snapshot {
  return useSyncExternalStore(store.subscribe, store.get);
}
