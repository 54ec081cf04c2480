import assert from "node:assert/strict";
import { test } from "node:test";
import { offers, withMentions } from "./completion.ts";
import type { Command } from "./types.ts";

const commands: Command[] = [
  {
    command: "/missingkbs", description: "What is missing?", usage_hint: "[software]",
    completions: [
      { text: "microsoft-_-edge", hint: "the browser" }, { text: "kb 5031455", hint: "one update of microsoft" }, { text: "help", hint: "" },
    ],
  },
];

const texts = (typed: string) => offers(typed, commands, ["alice", "missingkbs"]).list.map((o) => o.text);

test("what is offered for a text", () => {
  const cases: [typed: string, want: string[]][] = [
    ["", []],
    ["hello", []],
    ["/", ["/missingkbs "]],
    ["/MIS", ["/missingkbs "]],
    ["/missingkbs", ["/missingkbs "]],
    ["/other", []],
    ["/missingkbs mic", ["/missingkbs microsoft-_-edge", "/missingkbs kb 5031455"]],
    ["/missingkbs edge", ["/missingkbs microsoft-_-edge"]],
    ["/missingkbs he", ["/missingkbs help", "/missingkbs microsoft-_-edge"]],
    ["/missingkbs help", []],
    ["/missingkbsx h", []],
    ["hello @mis", ["hello @missingkbs "]],
    ["mail@mis", []],
  ];
  for (const [typed, want] of cases) assert.deepEqual(texts(typed), want, typed);
});

test("the usage of a command shows as soon as its name is there", () => {
  assert.equal(offers("/missingk", commands, []).command, undefined);
  assert.equal(offers("/missingkbs", commands, []).command?.command, "/missingkbs");
  assert.equal(offers("/missingkbs x", commands, []).command?.command, "/missingkbs");
});

test("names that exist become mentions", () => {
  const ids = new Map([["alice", "U1"], ["missing.kbs", "U2"]]);
  assert.equal(withMentions("@Alice, ask @missing.kbs. Not @bob or a@alice", ids), "<@U1>, ask <@U2>. Not @bob or a@alice");
});
