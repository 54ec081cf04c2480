import assert from "node:assert/strict";
import { test } from "node:test";
import { ackTimes, noteOf } from "./wire_text.ts";
import { duration, failure, fileSize } from "./format.ts";
import type { TraceEntry } from "./types.ts";

const entry = (seq: number, kind: string, body: unknown, time = "2026-11-23T09:00:00Z"): TraceEntry => ({ seq, kind, name: "n", time, duration_ms: 0, body });

test("an acknowledgement's time counts from its own envelope, also when it is written first", () => {
  const got = ackTimes([
    entry(1, "socket-in", { envelope_id: "b" }, "2026-11-23T09:00:01.000750Z"),
    entry(2, "socket-out", { envelope_id: "a" }, "2026-11-23T09:00:00Z"),
    entry(3, "socket-out", { envelope_id: "b" }, "2026-11-23T09:00:01.000250Z"),
    entry(4, "socket-in", { envelope_id: "a" }, "2026-11-23T09:00:01.5Z"),
    entry(5, "socket-in", { envelope_id: "unknown" }),
    entry(6, "ui", null),
  ]);
  assert.deepEqual([...got], [[1, 0.5], [4, 1500]]);
});

test("a line says what tells it from its neighbours", () => {
  assert.equal(noteOf(entry(1, "ui", { text: "/missingkbs x" })), "/missingkbs x");
  assert.equal(noteOf(entry(1, "socket-out", { payload: { actions: [{ action_id: "next" }] } })), "next");
  assert.equal(noteOf(entry(1, "web-api", { response: { ok: false, error: "invalid_auth" } })), "invalid_auth");
  assert.equal(noteOf(entry(1, "defender", "text")), "");
});

test("failures are worded; success has no words", () => {
  assert.equal(failure({ ok: true, delivery: { acked: true } }), "");
  assert.equal(failure({ ok: false, error: "operation_timeout", delivery: { acked: false, err: "operation_timeout" } }), "the app did not respond");
  assert.equal(failure({ ok: true, delivery: { acked: false, err: "" } }), "the app did not respond");
  assert.equal(failure({ ok: false, error: "nothing typed" }), "nothing typed");
});

test("times and sizes", () => {
  assert.deepEqual([0.43, 34.2, 812, 1403, 12_000].map(duration), ["0.4 ms", "34 ms", "812 ms", "1.4 s", "12 s"]);
  assert.deepEqual([12, 2048, 20_480, 3 << 20].map(fileSize), ["12 B", "2.0 KB", "20 KB", "3.0 MB"]);
});
