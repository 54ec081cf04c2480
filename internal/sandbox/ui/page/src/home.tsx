// The app's Home tab: a view of its own for each person, asked for when it is opened.
import { useEffect, useMemo, useState } from "react";
import { openHome } from "./api.ts";
import { failure } from "./format.ts";
import type { View } from "./types.ts";
import { usePeople } from "./people.tsx";
import { Blocks } from "./blocks/blocks.tsx";
import { SurfaceProvider } from "./blocks/surface.tsx";

export function Home({ view }: { view: View | undefined }) {
  const { me } = usePeople();
  const [failed, setFailed] = useState("");
  useEffect(() => {
    setFailed("");
    openHome(me).then(
      (a) => failure(a) && setFailed(`The Home tab was opened, but ${failure(a)}.`),
      (err: unknown) => setFailed(err instanceof Error ? err.message : String(err)),
    );
  }, [me]);
  const place = useMemo(() => ({ user: me, ...(view && { view_id: view.id }) }), [me, view]);
  return (
    <div className="messages home" tabIndex={0} role="region" aria-label="Home tab" data-testid="home">
      <div className="home-inner">
        {failed && <p className="modal-failed" role="alert">⚠ {failed}</p>}
        {view
          ? <SurfaceProvider key={me} kind="home" place={place} blocks={view.blocks}><Blocks blocks={view.blocks} /></SurfaceProvider>
          : <div className="empty"><h3>Home</h3><p>The app has not published a Home tab for this person yet.</p></div>}
      </div>
    </div>
  );
}
