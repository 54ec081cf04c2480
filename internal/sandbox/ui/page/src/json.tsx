// JSON as a tree that opens and closes. Text that is itself JSON, such as the blocks field of a form, is opened too.
import { memo, useState } from "react";

/** How deep a tree is open at first, and how long a list may be for that. */
const openDepth = 2;
const openLength = 12;

export const Json = memo(function Json({ value, depth = 0, name }: { value: unknown; depth?: number; name?: string }) {
  const data = typeof value === "string" ? embedded(value) : value;
  if (typeof data !== "object" || data === null) return <Leaf value={data} name={name} />;
  return <Branch data={data} depth={depth} name={name} fromText={typeof value === "string"} />;
});

function embedded(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function Name({ name }: { name: string | undefined }) {
  return name === undefined ? null : <><span className="json-name">{name}</span>: </>;
}

function Leaf({ value, name }: { value: unknown; name: string | undefined }) {
  return (
    <div className="json-line">
      <Name name={name} />
      <span className={`json-${value === null ? "null" : typeof value}`}>{JSON.stringify(value) ?? "undefined"}</span>
    </div>
  );
}

interface BranchProps {
  data: object;
  depth: number;
  name: string | undefined;
  fromText: boolean;
}

function Branch({ data, depth, name, fromText }: BranchProps) {
  const list = Array.isArray(data);
  const entries = Object.entries(data);
  const [open, setOpen] = useState(depth < openDepth && entries.length <= openLength);
  const brackets = list ? "[]" : "{}";
  if (entries.length === 0) return <div className="json-line"><Name name={name} />{brackets}</div>;
  return (
    <div className="json-branch">
      <button type="button" className="json-line json-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="twisty" aria-hidden="true" />
        <Name name={name} />
        <span className="json-count">{open ? brackets[0] : `${brackets[0]} ${entries.length} ${brackets[1]}`}</span>
        {fromText && <span className="json-note">JSON in text</span>}
      </button>
      {open && (
        <>
          <div className="json-children">
            {entries.map(([key, v]) => <Json key={key} value={v} depth={depth + 1} {...(!list && { name: key })} />)}
          </div>
          <div className="json-line">{brackets[1]}</div>
        </>
      )}
    </div>
  );
}
