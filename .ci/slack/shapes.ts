// What the bot may send, in Slack's own types. Each exception below is something that Slack documents and that the types
// do not have yet; it ends with the first version of @slack/types that has it, because @ts-expect-error fails then.
import type {
  Block, Button, DataTableBlock, HomeView, KnownBlock, MessageMetadata, ModalView, Option, RawNumberElement, RawTextElement,
  RichTextBlock, RichTextBlockElement, RichTextList, TableBlock,
} from "@slack/types";

// Exception: charts, https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block
interface DataVisualizationBlock extends Block {
  type: "data_visualization";
  title: string;
  chart: {
    type: "bar" | "area" | "line";
    series: { name: string; data: { label: string; value: number }[] }[];
    axis_config: { categories: string[]; x_label?: string; y_label?: string };
  };
}
// @ts-expect-error the types know no data_visualization
export const chartIsAnException: KnownBlock["type"] = "data_visualization";

// Exception: buttons in cells, https://docs.slack.dev/reference/block-kit/blocks/data-table-block#schema-for-action_cell
interface ActionCell {
  type: "action_cell";
  element: Button;
  fallback?: RawTextElement | RawNumberElement;
}
type Cell = DataTableBlock["rows"][number][number];
// @ts-expect-error the types know no action_cell
export const actionCellIsAnException: Cell["type"] = "action_cell";

// Exception: where the numbers of a list begin, https://docs.slack.dev/reference/block-kit/blocks/rich-text-block#rich_text_list
interface List extends RichTextList {
  offset?: number;
}
// @ts-expect-error the types know no offset
export const offsetIsAnException: keyof RichTextList = "offset";

interface RichText extends Omit<RichTextBlock, "elements"> {
  elements: (Exclude<RichTextBlockElement, RichTextList> | List)[];
}
type PlainCell = Exclude<Cell, RichTextBlock> | RichText;
type Table = Omit<TableBlock, "rows"> & { rows: PlainCell[][] };
type DataTable = Omit<DataTableBlock, "rows"> & { rows: (PlainCell | ActionCell)[][] };
type AllowedBlock = Exclude<KnownBlock, TableBlock | DataTableBlock | RichTextBlock> | Table | DataTable | RichText | DataVisualizationBlock;

// A message, however it travels: chat.postMessage, a response URL or an acknowledgement.
export interface Message {
  text?: string;
  blocks?: AllowedBlock[];
  metadata?: MessageMetadata;
  thread_ts?: string;
  response_type?: "ephemeral" | "in_channel";
  replace_original?: boolean;
  delete_original?: boolean;
  unfurl_links?: boolean;
  unfurl_media?: boolean;
  mrkdwn?: boolean;
}

export type Home = Omit<HomeView, "blocks"> & { blocks: AllowedBlock[] };
export type Modal = Omit<ModalView, "blocks"> & { blocks: AllowedBlock[] };

// Answers to a select, and to a submitted modal.
export interface Options {
  options: Option[];
}
export type ViewResponse =
  | { response_action: "clear" }
  | { response_action: "errors"; errors: Record<string, string> }
  | { response_action: "update" | "push"; view: Modal };
