// The left column: the workspace, its channels, the app, and who is looking.
import type { Channel, Shortcut, User } from "./types.ts";
import { AppMark, Avatar } from "./people.tsx";
import type { Theme } from "./prefs.ts";

/** home is the place of the app's Home tab among the channels. */
export const home = "home";

interface Props {
  team: string;
  channels: Channel[];
  users: User[];
  me: string;
  at: string;
  unread: ReadonlySet<string>;
  theme: Theme;
  connections: number;
  shortcuts: Shortcut[];
  onGo(place: string): void;
  onBe(user: string): void;
  onShortcut(s: Shortcut): void;
  onTheme(t: Theme): void;
}

const kindNames: Record<User["kind"], string> = {
  member: "member", guest: "guest", external: "external", bot: "app",
};

export function Sidebar(p: Props) {
  const rooms = p.channels.filter((c) => !c.is_im);
  const direct = p.channels.filter((c) => c.is_im);
  const me = p.users.find((u) => u.id === p.me);
  return (
    <nav className="sidebar" id="sidebar" aria-label="Workspace">
      <div className="team">
        <span className="team-mark" aria-hidden="true">S</span>
        <span className="team-name">{p.team}</span>
      </div>
      <div className="places">
        <h2 id="side-channels">Channels</h2>
        <ul aria-labelledby="side-channels">
          {rooms.map((c) => <Place key={c.id} id={c.id} p={p} sign={c.is_private ? <Lock /> : "#"} name={c.name} note={c.is_ext_shared ? "shared" : ""} />)}
        </ul>
        <h2 id="side-apps">App</h2>
        <ul aria-labelledby="side-apps">
          {direct.map((c) => <Place key={c.id} id={c.id} p={p} sign={<AppMark size={18} />} name="Missing KBs" note="" />)}
          <Place id={home} p={p} sign={<HomeSign />} name="Home tab" note="" />
          {p.shortcuts.map((s) => (
            <li key={s.callback_id}>
              <button type="button" className="place" title={s.description} data-testid={`shortcut-${s.callback_id}`} onClick={() => p.onShortcut(s)}>
                <span className="sign" aria-hidden="true"><Flash /></span>
                <span className="place-name">{s.name}</span>
                <span className="place-note">shortcut</span>
              </button>
            </li>
          ))}
        </ul>
      </div>
      <div className="me">
        <div className="me-row">
          <Avatar user={me} id={p.me} size={28} />
          <label htmlFor="who">Who am I?</label>
        </div>
        <select id="who" className="field" data-testid="who" value={p.me} onChange={(e) => p.onBe(e.target.value)}>
          {p.users.filter((u) => u.kind !== "bot").map((u) => (
            <option key={u.id} value={u.id}>{u.real_name || u.name} ({kindNames[u.kind]})</option>
          ))}
        </select>
        <div className="me-row">
          <span className={p.connections > 0 ? "presence on" : "presence"}>{p.connections > 0 ? "App connected" : "App not connected"}</span>
          <label className="visually-hidden" htmlFor="theme">Theme</label>
          <select id="theme" className="field theme" data-testid="theme" value={p.theme} onChange={(e) => p.onTheme(e.target.value as Theme)}>
            <option value="system">Auto</option>
            <option value="light">Light</option>
            <option value="dark">Dark</option>
          </select>
        </div>
      </div>
    </nav>
  );
}

interface PlaceProps {
  id: string;
  p: Props;
  sign: React.ReactNode;
  name: string;
  note: string;
}

function Place({ id, p, sign, name, note }: PlaceProps) {
  const here = p.at === id;
  const unread = p.unread.has(id) && !here;
  return (
    <li>
      <button
        type="button"
        className={`place${here ? " here" : ""}${unread ? " unread" : ""}`}
        aria-current={here ? "page" : undefined}
        data-testid={id === home ? "channel-home" : `channel-${id}`}
        onClick={() => p.onGo(id)}
      >
        <span className="sign" aria-hidden="true">{sign}</span>
        <span className="place-name">{name}</span>
        {unread && <span className="visually-hidden"> (unread)</span>}
        {note && <span className="place-note">{note}</span>}
      </button>
    </li>
  );
}

function Lock() {
  return <svg viewBox="0 0 16 16" width="13" height="13"><path d="M4 7V5a4 4 0 0 1 8 0v2h1v8H3V7zm2 0h4V5a2 2 0 0 0-4 0z" fill="currentColor" /></svg>;
}

function Flash() {
  return <svg viewBox="0 0 16 16" width="13" height="13"><path d="M9.5 1 3 9h4l-.8 6L13 7H8.8z" fill="currentColor" /></svg>;
}

function HomeSign() {
  return <svg viewBox="0 0 16 16" width="15" height="15"><path d="M8 1.5 1.5 7.2V14.5h4.7V10h3.6v4.5h4.7V7.2z" fill="currentColor" /></svg>;
}
