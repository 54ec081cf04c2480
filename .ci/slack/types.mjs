// Type-checks JSON that the bot sends to Slack against @slack/types: node types.mjs FOLDER…
//
// Every .json file of the folders is written as a TypeScript literal, so that a field that is missing, unknown or of
// another type is an error of the compiler. A file of unknown shape is an error too: nothing is left out.
import { spawnSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

const here = import.meta.dirname;

// What a file is, by its shape; see shapes.ts.
function shapeOf(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return undefined;
  if (value.type === "home") return "Home";
  if (value.type === "modal") return "Modal";
  if ("options" in value) return "Options";
  if ("response_action" in value) return "ViewResponse";
  if ("blocks" in value || "text" in value || "delete_original" in value) return "Message";
  return undefined;
}

// More than Slack's types can say.
function beyondTypes(shape, value) {
  const faults = [];
  const tables = (value.blocks ?? []).filter((b) => b.type === "table").length;
  if (shape === "Message" && tables > 1) faults.push(`${tables} table blocks: reports differ on whether Slack takes more than one`);
  const visit = (v, at) => {
    if (v === null || typeof v !== "object") return;
    if ((v.type === "raw_number" || v.type === "raw_text") && v.text === "") faults.push(`${at}/text is empty`);
    for (const [key, inner] of Object.entries(v)) visit(inner, `${at}/${key}`);
  };
  visit(value, "");
  return faults;
}

const folders = process.argv.slice(2);
const cases = [];
const faults = [];
for (const folder of folders) {
  const files = (await readdir(folder)).filter((f) => f.endsWith(".json")).sort();
  if (files.length === 0) faults.push(`${folder}: no .json files`);
  for (const file of files) {
    const from = path.join(folder, file);
    const value = JSON.parse(await readFile(from, "utf8"));
    const shape = shapeOf(value);
    if (!shape) {
      faults.push(`${from}: neither a message nor a view nor an answer`);
      continue;
    }
    faults.push(...beyondTypes(shape, value).map((f) => `${from}: ${f}`));
    cases.push({ from, shape, value });
  }
}
if (cases.length === 0) faults.push("nothing to check");

const work = await mkdtemp(path.join(here, "check-"));
try {
  await copyFile(path.join(here, "shapes.ts"), path.join(work, "shapes.ts"));
  await mkdir(path.join(work, "cases"));
  await Promise.all(cases.map(({ shape, value }, i) => writeFile(
    path.join(work, "cases", `${i}.ts`),
    `import type { ${shape} } from "../shapes";\nexport const sent: ${shape} = ${JSON.stringify(value, null, 1)};\n`,
  )));
  await writeFile(path.join(work, "tsconfig.json"), JSON.stringify({
    compilerOptions: { strict: true, noEmit: true, module: "esnext", moduleResolution: "bundler", target: "es2022", types: [], skipLibCheck: true },
    include: ["**/*.ts"],
  }));
  const tsc = spawnSync(process.execPath, [path.join(here, "node_modules/typescript/bin/tsc"), "--project", work, "--pretty", "false"], { encoding: "utf8" });
  if (tsc.error) throw tsc.error;
  if (tsc.status !== 0) faults.push(tsc.stdout.replaceAll(/\S*cases[\\/](\d+)\.ts/g, (_, i) => cases[i].from).trim() + tsc.stderr);
} finally {
  await rm(work, { recursive: true, force: true });
}
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
console.log(`${cases.length} messages and views are of Slack's types`);
