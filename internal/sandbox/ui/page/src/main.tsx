// The web page of the local Slack sandbox.
//
// It shows the workspace as its people see it and lets them act; it decides nothing. All it knows comes from the Go
// server of internal/sandbox, over /ui/state, /ui/events and the POSTs in api.ts.
//
// Browser tests find their way by data-testid. These names are promised:
//
//	banner, offline                         the notices at the top and bottom
//	channel-<id>, channel-home              the places in the left column
//	shortcut-<callback id>                  the app's shortcuts below them
//	who, theme                              selects: who is looking (value: user id); system, light, dark
//	toggle-sidebar, toggle-panel            buttons that open the side columns
//	messages, message                       the list; each message has data-ts, data-kind, data-ephemeral
//	message-menu                            the button of a message's menu, with the app's shortcuts in it
//	dismiss, start-thread, thread, thread-toggle, reply, send-reply
//	composer, send, usage, completions, completion, delivery
//	button, overflow, select, combobox, input, action-failed    elements; all but the last have data-action-id
//	data-table, table-filter, sort, row, table-range, table-prev, table-next
//	chart, layout, container, card, unsupported, file
//	confirm, confirm-yes, confirm-deny
//	modal, modal-submit, modal-cancel, modal-close, input-error
//	home                                    the Home tab's content
//	tab-wire, wire, wire-entry (data-kind), wire-search, wire-clear
//	tab-time, controls, clock, advance-day, advance-week, connections, fault-<name>, faults-off, close-panel
import { createRoot } from "react-dom/client";
import "slack-blocks-to-jsx/dist/style.css";
import "./css/base.css";
import "./css/columns.css";
import "./css/messages.css";
import "./css/blocks.css";
import "./css/elements.css";
import "./css/panel.css";
import { App } from "./app.tsx";
import { store } from "./store.ts";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
store.connect();
createRoot(root).render(<App />);
