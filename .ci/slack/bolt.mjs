// A plain Bolt app in Socket Mode, run by TestBolt of internal/sandbox: a client of Slack that this project did not write.
//
// It tells on standard output, a line of JSON each, what reached it and what its own calls found. The test plays the
// people, and looks at what they see.
import assert from "node:assert/strict";
import { Console } from "node:console";
import bolt from "@slack/bolt";

globalThis.console = new Console(process.stderr, process.stderr); // standard output is for tell

const { App, LogLevel } = bolt;
const slackApiUrl = process.env.SLACK_API_URL;
const channel = process.env.SLACK_CHANNEL;
const person = process.env.SLACK_PERSON;

const tell = (step, more = {}) => process.stdout.write(JSON.stringify({ step, ...more }) + "\n");

const app = new App({
  token: process.env.SLACK_BOT_TOKEN,
  appToken: process.env.SLACK_APP_TOKEN,
  socketMode: true,
  logLevel: LogLevel.ERROR,
  clientOptions: { slackApiUrl },
});
app.error(async (error) => tell("failed", { error: error.stack ?? String(error) }));

const plain = (text) => ({ type: "plain_text", text });
const buttons = {
  type: "actions",
  block_id: "buttons",
  elements: [
    { type: "button", action_id: "press", text: plain("Press"), value: "pressed" },
    { type: "button", action_id: "ask", text: plain("Ask") },
    { type: "external_select", action_id: "pick", placeholder: plain("Pick"), min_query_length: 0 },
  ],
};
const modal = (title) => ({
  type: "modal",
  callback_id: "form",
  private_metadata: "kept",
  title: plain(title),
  submit: plain("Send"),
  blocks: [{ type: "input", block_id: "name", label: plain("Name"), element: { type: "plain_text_input", action_id: "typed" } }],
});

// What the one slash command does, by its first word.
const commands = {
  answer: async ({ ack, command }) => {
    await ack({ response_type: "ephemeral", text: `heard ${command.text}`, blocks: [{ type: "section", text: plain("From the acknowledgement") }, buttons] });
    tell("answer", { user: command.user_id, channel: command.channel_id });
  },
  later: async ({ ack, respond }) => {
    await ack();
    await respond({ response_type: "in_channel", text: "to everyone" });
    await respond("to one person");
    tell("later");
  },
  web: async ({ ack, client }) => {
    await ack();
    await webAPI(client);
    tell("web");
  },
  refused: async ({ ack, client }) => {
    await ack();
    await refusals(client);
    tell("refused");
  },
  limited: async ({ ack, client }) => {
    await ack();
    await client.chat.postMessage({ channel, text: "after the pause" }); // the client waits and tries again by itself
    tell("limited");
  },
  upload: async ({ ack, client }) => {
    await ack();
    await client.filesUploadV2({ channel_id: channel, filename: "rows.csv", content: "kb,devices\n", initial_comment: "a file" });
    tell("upload");
  },
};
app.command("/missingkbs", (all) => commands[all.command.text.split(" ")[0]](all));

app.action("press", async ({ ack, respond, action, body }) => {
  await ack();
  await respond({ replace_original: true, text: "replaced" });
  tell("press", { value: action.value, ephemeral: body.container.is_ephemeral });
});
app.action("ask", async ({ ack, client, body }) => {
  await ack();
  const opened = await client.views.open({ trigger_id: body.trigger_id, view: modal("A form") });
  tell("ask", { view: opened.view.id });
});
app.options("pick", async ({ ack, options }) => {
  await ack({ options: [{ text: plain(`found ${options.value}`), value: "one" }] });
  tell("options", { typed: options.value });
});
app.action("pick", async ({ ack, action }) => {
  await ack();
  tell("pick", { chosen: action.selected_option.value });
});
app.view("form", async ({ ack, view }) => {
  const typed = view.state.values.name.typed.value;
  if (typed === "no") {
    await ack({ response_action: "errors", errors: { name: "Not that one" } });
  } else if (typed === "more") {
    await ack({ response_action: "update", view: modal("Once more") });
  } else {
    await ack();
  }
  tell("form", { typed, kept: view.private_metadata });
});
app.shortcut("begin", async ({ ack, client, shortcut }) => {
  await ack();
  await client.views.open({ trigger_id: shortcut.trigger_id, view: modal("From a shortcut") });
  tell("shortcut");
});
app.event("app_home_opened", async ({ event, client }) => {
  await client.views.publish({ user_id: event.user, view: { type: "home", blocks: [{ type: "header", text: plain("At home") }] } });
  tell("home", { user: event.user });
});
app.event("app_mention", async ({ event, say }) => {
  await say({ text: "you called", thread_ts: event.ts });
  tell("mention", { text: event.text });
});
app.message("hello", async ({ message, say }) => {
  await say("hello yourself");
  tell("message", { channel_type: message.channel_type });
});

// webAPI posts, looks for what it has posted, changes it and takes it away.
async function webAPI(client) {
  const me = await client.auth.test();
  assert.ok(me.response_metadata.scopes.includes("chat:write"), "the scopes of the token are told");
  assert.ok(!("acceptedScopes" in me.response_metadata), `auth.test needs no scope, not ${JSON.stringify(me.response_metadata.acceptedScopes)}`);

  const metadata = { event_type: "digest", event_payload: { key: "digest/1" } };
  const head = await client.chat.postMessage({ channel, text: "the head", blocks: [{ type: "header", text: plain("The head") }], metadata });
  assert.deepEqual(head.response_metadata.acceptedScopes, ["chat:write"]);
  const reply = await client.chat.postMessage({ channel, text: "a reply", thread_ts: head.ts });
  const history = await client.conversations.history({ channel, include_all_metadata: true, limit: 20 });
  const found = history.messages.find((m) => m.metadata?.event_payload?.key === "digest/1");
  assert.equal(found?.ts, head.ts, "the message is found by its metadata");
  assert.equal(found.reply_count, 1);
  assert.equal(found.user, me.user_id);
  const thread = await client.conversations.replies({ channel, ts: head.ts });
  assert.deepEqual(thread.messages.map((m) => m.ts), [head.ts, reply.ts]);

  await client.chat.update({ channel, ts: head.ts, text: "the new head", blocks: [] });
  await client.chat.postEphemeral({ channel, user: person, text: "for you alone" });
  const link = await client.chat.getPermalink({ channel, message_ts: head.ts });
  assert.ok(link.permalink.includes(channel));
  for (const ts of [reply.ts, head.ts]) await client.chat.delete({ channel, ts });
  const after = await client.conversations.history({ channel, limit: 20 });
  assert.ok(!after.messages.some((m) => m.ts === head.ts), "what is deleted is gone");

  assert.equal((await client.users.info({ user: person })).user.id, person);
  assert.equal((await client.conversations.info({ channel })).channel.is_member, true);
  let members = 0;
  for await (const page of client.paginate("conversations.members", { channel, limit: 2 })) members += page.members.length;
  assert.ok(members > 2, "pages follow each other");
  assert.equal((await client.blocks.validate({ blocks: [buttons] })).ok, true);
}

// refusals makes calls that Slack refuses, and looks at how.
async function refusals(client) {
  const refusal = async (call) => {
    try {
      await call;
    } catch (error) {
      return error.data ?? { error: String(error) };
    }
    return { error: "none" };
  };
  assert.equal((await refusal(client.chat.postMessage({ channel: "C0NOWHERE", text: "x" }))).error, "channel_not_found");
  assert.equal((await refusal(client.chat.delete({ channel, ts: "1.1" }))).error, "message_not_found");
  assert.equal((await refusal(client.apiCall("chat.postMassage", {}))).error, "unknown_method");
  const bad = [{ type: "section", text: { type: "invalid", text: "Hello" } }];
  const said = await refusal(client.chat.postMessage({ channel, text: "x", blocks: bad }));
  assert.equal(said.error, "invalid_blocks");
  assert.match(said.response_metadata.messages[0], /unsupported type: invalid \[json-pointer:\/blocks\/0\/text\/type\]/);

  // The example of https://docs.slack.dev/reference/methods/blocks.validate.
  const list = await refusal(client.blocks.validate({ blocks: bad }));
  assert.equal(list.error, "invalid_blocks");
  assert.deepEqual(list.errors.map(({ code, message, pointer }) => ({ code, message, pointer })), [
    { code: "failed_constraint", message: "unsupported type: invalid", pointer: "/0/text/type" },
  ]);
  const message = await refusal(client.blocks.validate({ message: { blocks: bad } }));
  assert.equal(message.error, "invalid_message");
  assert.equal(message.errors[0].pointer, "/blocks/0/text/type");
  const view = await refusal(client.blocks.validate({ view: { type: "home", blocks: bad } }));
  assert.equal(view.error, "invalid_view");
  assert.equal(view.errors[0].pointer, "/blocks/0/text/type");
  assert.equal((await refusal(client.blocks.validate({}))).error, "invalid_arguments");
  assert.equal((await refusal(client.blocks.validate({ blocks: bad, view: { type: "home", blocks: bad } }))).error, "invalid_arguments");
}

await app.start();
tell("started");
process.stdin.on("end", async () => {
  await app.stop();
  process.exit(0);
});
process.stdin.resume();
