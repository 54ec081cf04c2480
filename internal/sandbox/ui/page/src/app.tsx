// The whole page: banner, left column, the chosen channel or Home tab, and the panel on the right.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Channel, Message, State } from "./types.ts";
import { useStore } from "./store.ts";
import { shortcut } from "./api.ts";
import { useMedia, usePref, useTheme, type Theme } from "./prefs.ts";
import { PeopleContext } from "./people.tsx";
import { home, Sidebar } from "./sidebar.tsx";
import { ChannelPane, channelTitle } from "./channel.tsx";
import { Home } from "./home.tsx";
import { Modals } from "./modal.tsx";
import { Panel } from "./panel.tsx";
import { ThreadPane } from "./thread.tsx";
import { timesIn } from "./times.ts";

const noMessages: Message[] = [];

export function App() {
  const { state, live } = useStore();
  const [themeChoice, setThemeChoice] = usePref<Theme>("theme", "system");
  const theme = useTheme(themeChoice);
  return (
    <div className="page">
      <section className="banner" aria-label="About this page" data-testid="banner">
        <b>Sandbox on this machine.</b> Not Slack, no production server; all data is invented.
      </section>
      {state
        ? <Workspace state={state} theme={theme} themeChoice={themeChoice} onTheme={setThemeChoice} />
        : <p className="loading" role="status">Connecting to the sandbox…</p>}
      {state && !live && <div className="offline" role="status" data-testid="offline">The sandbox does not answer. Trying again…</div>}
    </div>
  );
}

interface WorkspaceProps {
  state: State;
  theme: "light" | "dark";
  themeChoice: Theme;
  onTheme(t: Theme): void;
}

/** visibleTo tells which channels a person has: their own conversation with the app, and the rooms they are in. */
function visibleTo(c: Channel, me: string): boolean {
  return (!c.user || c.user === me) && (!c.members || c.members.includes(me));
}

function Workspace({ state, theme, themeChoice, onTheme }: WorkspaceProps) {
  const persons = state.users.filter((u) => u.kind !== "bot");
  const [who, setWho] = usePref<string>("who", persons[0]?.id ?? "");
  const me = persons.some((u) => u.id === who) ? who : (persons[0]?.id ?? "");
  const channels = useMemo(() => state.channels.filter((c) => visibleTo(c, me)), [state.channels, me]);
  const [place, setPlace] = usePref<string>("place", "");
  const channel = place === home ? undefined : (channels.find((c) => c.id === place) ?? channels[0]);
  const at = channel?.id ?? home;
  const [panel, setPanel] = usePref<"open" | "closed">("panel", "closed");
  const wide = useMedia("(min-width: 1180px)");
  const [drawer, setDrawer] = useState<"none" | "side" | "panel">("none");
  const panelOpen = wide ? panel === "open" : drawer === "panel";
  const [thread, setThread] = useState("");
  const [dismissed, setDismissed] = useState<ReadonlySet<string>>(new Set());
  const onDismiss = useCallback((ts: string) => setDismissed((old) => new Set(old).add(ts)), []);
  const times = timesIn(persons.find((u) => u.id === me)?.tz);
  const unread = useUnread(state.messages, at, me);
  const people = useMemo(
    () => ({ me, users: new Map(state.users.map((u) => [u.id, u])), channels: state.channels, messageShortcuts: (state.shortcuts ?? []).filter((s) => s.of_message), theme, times, clock: new Date(state.clock) }),
    [me, state.users, state.channels, state.shortcuts, theme, times, state.clock],
  );

  useEffect(() => setThread(""), [at, me]); // a thread is of one channel, as one person sees it

  useEffect(() => {
    document.title = `${channel ? channelTitle(channel) : "Home"} · ${state.team.name}`;
  }, [channel, state.team.name]);

  function togglePanel(): void {
    if (wide) setPanel(panelOpen ? "closed" : "open");
    else setDrawer(panelOpen ? "none" : "panel");
  }

  return (
    <PeopleContext value={people}>
      <div
        className={`columns${panelOpen ? " with-panel" : ""}${thread && channel ? " with-thread" : ""}${drawer === "side" ? " with-side" : ""}`}
        onKeyDown={(e) => e.key === "Escape" && setDrawer("none")}
      >
        <Sidebar
          team={state.team.name}
          channels={channels}
          users={state.users}
          me={me}
          at={at}
          unread={unread}
          theme={themeChoice}
          connections={state.connections}
          shortcuts={(state.shortcuts ?? []).filter((s) => !s.of_message)}
          onGo={(id) => {
            setPlace(id);
            setDrawer("none");
          }}
          onBe={setWho}
          onShortcut={(s) => void shortcut(me, s.callback_id).catch(() => undefined)}
          onTheme={onTheme}
        />
        {drawer !== "none" && <div className="shade" onClick={() => setDrawer("none")} />}
        <main className="centre">
          <header className="channel-head">
            <button type="button" className="btn icon side-toggle" aria-label="Channels" aria-expanded={drawer === "side"} aria-controls="sidebar" data-testid="toggle-sidebar" onClick={() => setDrawer(drawer === "side" ? "none" : "side")}>
              <span aria-hidden="true">☰</span>
            </button>
            <h1>{channel ? channelTitle(channel) : "Home"}</h1>
            {channel?.is_ext_shared && <span className="badge">SHARED</span>}
            {channel && !channel.is_im && !channel.bot_is_member && <span className="badge quiet">app is not a member</span>}
            <span className="topic">{channel?.topic}</span>
            <button type="button" className="btn panel-toggle" aria-expanded={panelOpen} aria-controls="panel" data-testid="toggle-panel" onClick={togglePanel}>
              Under the hood
            </button>
          </header>
          {channel
            ? <ChannelPane key={`${channel.id} ${me}`} channel={channel} messages={state.messages[channel.id] ?? noMessages} commands={state.commands} dismissed={dismissed} thread={thread} onDismiss={onDismiss} onThread={setThread} />
            : <Home view={state.homes[me]} />}
        </main>
        {thread && channel && (
          <ThreadPane channel={channel} ts={thread} messages={state.messages[channel.id] ?? noMessages} commands={state.commands} dismissed={dismissed} onDismiss={onDismiss} onClose={() => setThread("")} />
        )}
        {panelOpen && <Panel state={state} onClose={togglePanel} />}
      </div>
      <Modals key={me} stack={state.views?.[me] ?? []} />
    </PeopleContext>
  );
}

/** useUnread tells in which other channels something came since the person last looked. */
function useUnread(messages: State["messages"], at: string, me: string): ReadonlySet<string> {
  const seen = useRef<Map<string, string> | null>(null);
  const newest = (list: Message[]) => list.findLast((m) => !m.ephemeral_for || m.ephemeral_for === me)?.ts ?? "";
  // What was there when the page opened counts as read.
  seen.current ??= new Map(Object.entries(messages).map(([id, list]) => [id, newest(list)]));
  useEffect(() => {
    seen.current?.set(at, newest(messages[at] ?? []));
  });
  const unread = new Set<string>();
  for (const [id, list] of Object.entries(messages)) {
    if (id !== at && newest(list) > (seen.current.get(id) ?? "")) unread.add(id);
  }
  return unread;
}
