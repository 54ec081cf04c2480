// Runs the tests of the page's pure functions: node test.mjs
//
// esbuild strips the types into a temporary folder, Node's own runner does the rest.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

const src = path.join(import.meta.dirname, "src");
const out = await mkdtemp(path.join(tmpdir(), "sandbox-page-"));
try {
  const files = (await readdir(src)).filter((f) => f.endsWith(".test.ts"));
  await build({
    entryPoints: files.map((f) => path.join(src, f)),
    outdir: out, outExtension: { ".js": ".mjs" }, bundle: true, platform: "node", format: "esm", logLevel: "warning",
  });
  const built = files.map((f) => path.join(out, f.replace(/\.ts$/, ".mjs")));
  // A fixed zone and language: dates are drawn in the reader's own.
  const env = { ...process.env, TZ: "Europe/Stockholm", LC_ALL: "en_US.UTF-8", LANG: "en_US.UTF-8" };
  process.exitCode = spawnSync(process.execPath, ["--test", ...built], { stdio: "inherit", env }).status ?? 1;
} finally {
  await rm(out, { recursive: true, force: true });
}
