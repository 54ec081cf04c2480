// Pictures from elsewhere are not loaded: the page asks nobody but the sandbox. A drawing takes their place.
import type { Block } from "../types.ts";

const drawing =
  "data:image/svg+xml," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="180" viewBox="0 0 320 180">' +
      '<rect width="320" height="180" fill="#8b95a5" fill-opacity=".25"/>' +
      '<g fill="none" stroke="#8b95a5" stroke-width="6" stroke-linejoin="round">' +
      '<rect x="110" y="50" width="100" height="80" rx="8"/><path d="M118 122l28-32 20 20 14-12 22 24"/></g>' +
      '<circle cx="184" cy="76" r="9" fill="#8b95a5"/></svg>',
  );

/** isLocal tells whether the page may load an address: its own origin or data. */
function isLocal(url: string): boolean {
  return url.startsWith("data:image/") || url.startsWith(location.origin + "/") || /^\/(?!\/)/.test(url);
}

const fields = new Set(["image_url", "thumbnail_url", "icon_url", "author_icon", "provider_icon_url"]);

/** localPictures gives the same block with every foreign picture address replaced. */
export function localPictures(b: Block): Block {
  return walk(b) as Block;
}

function walk(x: unknown): unknown {
  if (Array.isArray(x)) {
    const out = x.map(walk);
    return out.some((v, i) => v !== x[i]) ? out : x;
  }
  if (typeof x !== "object" || x === null) return x;
  let changed = false;
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(x)) {
    out[key] = fields.has(key) && typeof value === "string" ? localPicture(value) : walk(value);
    changed ||= out[key] !== value;
  }
  return changed ? out : x;
}

/** localPicture gives the address itself if the page may load it, else a drawing. */
export function localPicture(url: string): string {
  return isLocal(url) ? url : drawing;
}
