// Blocks that hold other blocks, or buttons besides text: layout, container, card, carousel.
import { useMemo, useState } from "react";
import type { Block, Element, Text } from "../types.ts";
import { Blocks, BlockView } from "./blocks.tsx";
import { Button } from "./button.tsx";
import { Drawn } from "./library.tsx";
import { blockID } from "./values.ts";
import { EmojiText } from "./emoji_text.tsx";
import { localPicture } from "./pictures.ts";
import { TextObject } from "./text.tsx";

interface LayoutItem {
  block: Block;
  width?: string;
  horizontal_alignment?: string;
}

const grow: Record<string, number> = { narrow: 1, standard: 2, wide: 3 };

export function Layout({ block }: { block: Block }) {
  const rows = (block["rows"] ?? []) as { items?: LayoutItem[] }[];
  const label = String(block["label"] ?? "");
  return (
    <section className={`layout lines-${String(block["grid_lines"] ?? "none")}`} aria-label={label} data-testid="layout">
      {block["is_label_visible"] === true && <h4>{label}</h4>}
      {rows.map((r, i) => (
        <div key={i} className="layout-row">
          {(r.items ?? []).map((item, j) => (
            <div key={j} className={`layout-item ${item.horizontal_alignment ?? ""}`} style={{ flexGrow: grow[item.width ?? "standard"] ?? 2 }}>
              <BlockView block={item.block} />
            </div>
          ))}
        </div>
      ))}
    </section>
  );
}

function titleOf(b: Block): string {
  const title = b["title"] as Text | undefined;
  return title?.text ?? "";
}

export function Container({ block }: { block: Block }) {
  const collapsible = block["is_collapsible"] === true;
  const [open, setOpen] = useState(block["default_collapsed"] !== true);
  const children = (block["child_blocks"] ?? []) as Block[];
  const rich = block["rich_title"] ?? block["rich_text_title"];
  const richBlocks = useMemo(() => (rich ? [rich as Block] : []), [rich]);
  const heading = richBlocks.length ? <Drawn blocks={richBlocks} /> : <EmojiText text={titleOf(block)} />;
  const subtitle = (block["subtitle"] as Text | undefined)?.text;
  return (
    <section className="container-block" data-testid="container">
      <div className={block["has_header_divider"] === true ? "container-head divided" : "container-head"}>
        {collapsible
          ? <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}><span className="twisty" aria-hidden="true" />{heading}</button>
          : heading}
        {subtitle && <small>{subtitle}</small>}
      </div>
      {(open || !collapsible) && <Blocks blocks={children} />}
    </section>
  );
}

export function Card({ block }: { block: Block }) {
  const actions = (block["actions"] ?? []) as Element[];
  const hero = block["hero_image"] as Block | undefined;
  return (
    <div className="card" data-testid="card">
      {hero && <img className="hero" src={localPicture(String(hero["image_url"] ?? ""))} alt={String(hero["alt_text"] ?? "")} />}
      {cardTexts.map((name) => block[name] !== undefined && <div key={name} className={`card-${name}`}><TextObject text={block[name] as Text} /></div>)}
      {actions.length > 0 && (
        <div className="actions">{actions.map((e, i) => <Button key={e.action_id ?? i} blockID={blockID(block)} e={e} />)}</div>
      )}
    </div>
  );
}

const cardTexts = ["title", "subtitle", "body", "subtext"];

export function Carousel({ block }: { block: Block }) {
  const cards = (block["elements"] ?? []) as Block[];
  return (
    <div className="carousel" role="region" aria-label="Cards" tabIndex={0}>
      {cards.map((c, i) => <Card key={c.block_id ?? i} block={{ block_id: blockID(block), ...c }} />)}
    </div>
  );
}
