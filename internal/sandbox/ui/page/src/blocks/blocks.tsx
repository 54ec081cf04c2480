// Draws any list of blocks. What only shows goes to the library; what people act on, and what the library does not
// know, is drawn here. No block is ever left out: one that nobody knows is shown as a box with its type.
import { Component, memo, useEffect, useId, useMemo, useRef, type ReactNode } from "react";
import type { Block, Element, Text } from "../types.ts";
import { Drawn } from "./library.tsx";
import { ActionElement } from "./element.tsx";
import { DataTable } from "./data_table.tsx";
import { StaticTable } from "./static_table.tsx";
import { DataVisualization } from "./chart.tsx";
import { Card, Carousel, Container, Layout } from "./nested.tsx";
import { localPicture } from "./pictures.ts";
import { useSurface } from "./surface.tsx";
import { blockID } from "./values.ts";
import { EmojiText } from "./emoji_text.tsx";
import { TextObject } from "./text.tsx";

/** What the library draws well and nobody acts on. It reads markup in plain_text, so blocks with text objects are not among them. */
const shown = new Set(["divider", "rich_text", "video", "file", "plan", "task_card"]);

export function Blocks({ blocks }: { blocks: Block[] }) {
  return (
    <div className="blocks">
      {blocks.map((b, i) => (
        <Guard key={b.block_id ?? `${i}.${b.type}`} block={b}>
          <BlockView block={b} />
        </Guard>
      ))}
    </div>
  );
}

/** BlockView draws one block. */
export const BlockView = memo(function BlockView({ block }: { block: Block }) {
  switch (block.type) {
    case "header":
      return <Header block={block} />;
    case "section":
      return <Section block={block} />;
    case "context":
      return <Context block={block} />;
    case "alert":
      return <Alert block={block} />;
    case "actions":
    case "context_actions":
      return <Actions block={block} />;
    case "input":
      return <Input block={block} />;
    case "data_table":
      return <DataTable block={block} />;
    case "image":
      return <Picture block={block} />;
    case "markdown":
      return <Markdown block={block} />;
    case "table":
      return <StaticTable block={block} />;
    case "data_visualization":
      return <DataVisualization block={block} />;
    case "layout":
      return <Layout block={block} />;
    case "container":
      return <Container block={block} />;
    case "card":
      return <Card block={block} />;
    case "carousel":
      return <Carousel block={block} />;
    default:
      return shown.has(block.type) ? <Static block={block} /> : <Unsupported type={block.type} />;
  }
});

function Static({ block }: { block: Block }) {
  const blocks = useMemo(() => [block], [block]);
  return <Drawn blocks={blocks} />;
}

/** The library's picture folds behind a button without a name; this one just shows. */
function Picture({ block }: { block: Block }) {
  const title = block["title"] as Text | undefined;
  return (
    <figure className="picture">
      {title && <figcaption><EmojiText text={title.text} /></figcaption>}
      <img src={localPicture(String(block["image_url"] ?? ""))} alt={String(block["alt_text"] ?? "")} />
    </figure>
  );
}

function Markdown({ block }: { block: Block }) {
  const root = useRef<HTMLDivElement>(null);
  // The library gives the boxes of a task list no name.
  useEffect(() => {
    root.current?.querySelectorAll("input").forEach((box) => {
      box.disabled = true;
      box.ariaLabel = box.parentElement?.textContent?.trim() ?? "";
    });
  }, [block]);
  return <div ref={root}><Static block={block} /></div>;
}

export function Unsupported({ type }: { type: string }) {
  return <div className="unsupported" data-testid="unsupported">unsupported block: {type}</div>;
}

function Header({ block }: { block: Block }) {
  const level = Math.min(Math.max(Number(block["level"] ?? 2), 1), 4);
  // The channel's own headings are h1 and h2.
  return <div className={`header level-${level}`} role="heading" aria-level={level + 2}><TextObject text={block["text"] as Text} /></div>;
}

function Section({ block }: { block: Block }) {
  const accessory = block["accessory"] as Element | undefined;
  const text = block["text"] as Text | undefined;
  const fields = (block["fields"] ?? []) as Text[];
  const picture = accessory?.type === "image" ? (accessory as unknown as Block) : undefined;
  return (
    <div className="section">
      <div className="section-text">
        {text && <TextObject text={text} />}
        {fields.length > 0 && <div className="fields">{fields.map((f, i) => <div key={i}><TextObject text={f} /></div>)}</div>}
      </div>
      {picture
        ? <img className="thumb" src={localPicture(String(picture["image_url"] ?? ""))} alt={String(picture["alt_text"] ?? "")} />
        : accessory && <ActionElement blockID={blockID(block)} e={accessory} dispatch />}
    </div>
  );
}

function Context({ block }: { block: Block }) {
  const elements = (block["elements"] ?? []) as (Text & Block)[];
  return (
    <div className="context">
      {elements.map((e, i) => (e as Block).type === "image"
        ? <img key={i} src={localPicture(String(e["image_url"] ?? ""))} alt={String(e["alt_text"] ?? "")} />
        : <TextObject key={i} text={e} />)}
    </div>
  );
}

function Alert({ block }: { block: Block }) {
  const level = String(block["level"] ?? "default");
  return <div className={`alert ${level}`} role={level === "error" ? "alert" : "note"}><TextObject text={block["text"] as Text} /></div>;
}

function Actions({ block }: { block: Block }) {
  const elements = (block["elements"] ?? []) as Element[];
  return (
    <div className="actions" role="group" data-block-id={block.block_id}>
      {elements.map((e, i) => <ActionElement key={e.action_id ?? i} blockID={blockID(block)} e={e} dispatch />)}
    </div>
  );
}

const groups = new Set(["checkboxes", "radio_buttons"]);

function Input({ block }: { block: Block }) {
  const id = useId();
  const { errors } = useSurface();
  const e = block["element"] as Element;
  const label = (block["label"] as Text | undefined)?.text ?? "";
  const hint = block["hint"] as Text | undefined;
  const error = errors[blockID(block)];
  const text = (
    <>
      <EmojiText text={label} />
      {block["optional"] === true && <span className="optional"> (optional)</span>}
    </>
  );
  const describedBy = [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(" ") || undefined;
  return (
    <div className={error ? "input invalid" : "input"} data-block-id={block.block_id}>
      {groups.has(e.type)
        ? <span className="input-label" id={`${id}-label`}>{text}</span>
        : <label className="input-label" htmlFor={id}>{text}</label>}
      <ActionElement blockID={blockID(block)} e={e} id={id} dispatch={block["dispatch_action"] === true} describedBy={describedBy} invalid={Boolean(error)} />
      {error && <p className="input-error" id={`${id}-error`} role="alert" data-testid="input-error">{error}</p>}
      {hint && <p className="input-hint" id={`${id}-hint`}><TextObject text={hint} /></p>}
    </div>
  );
}

interface GuardProps {
  block: Block;
  children: ReactNode;
}

/** Guard keeps the fault of one block to that block, until the app sends another in its place. */
class Guard extends Component<GuardProps, { fault: string }> {
  override state = { fault: "" };

  static getDerivedStateFromError(err: unknown): { fault: string } {
    return { fault: err instanceof Error ? err.message : String(err) };
  }

  override componentDidUpdate(before: GuardProps): void {
    if (this.state.fault && before.block !== this.props.block) this.setState({ fault: "" });
  }

  override render(): ReactNode {
    if (!this.state.fault) return this.props.children;
    return <div className="unsupported" role="alert">the {this.props.block.type} block could not be drawn: {this.state.fault}</div>;
  }
}
