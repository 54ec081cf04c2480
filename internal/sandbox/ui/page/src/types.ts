// The shapes that the page and the Go server exchange under /ui/, and the parts of Block Kit that the page looks into.

export type UserKind = "member" | "guest" | "external" | "bot";

export interface User {
  id: string;
  name: string;
  real_name: string;
  kind: UserKind;
  team_id: string;
  tz: string;
}

export interface Channel {
  id: string;
  name: string;
  is_private: boolean;
  is_ext_shared: boolean;
  is_im: boolean;
  topic: string;
  bot_is_member: boolean;
  /** The person whose direct message with the app this is. */
  user?: string;
  /** The people who see the channel; absent means all. */
  members?: string[];
}

export interface SharedFile {
  name: string;
  size: number;
  url: string;
}

/** Attachment is the older form of secondary content. */
export interface Attachment {
  color?: string;
  text?: string;
  fallback?: string;
  blocks?: Block[] | null;
}

export interface Message {
  ts: string;
  channel: string;
  user: string;
  text: string;
  blocks?: Block[] | null;
  ephemeral_for?: string;
  thread_ts?: string;
  response_type?: string;
  /** A reply that the channel shows too. */
  reply_broadcast?: boolean;
  edited?: boolean;
  /** What is left of a deleted message that has replies. */
  deleted?: boolean;
  attachments?: Attachment[] | null;
  metadata?: unknown;
  kind?: "person" | "app" | "command_echo" | "error";
  files?: SharedFile[] | null;
}

export interface View {
  id: string;
  type: "modal" | "home";
  title?: Text;
  submit?: Text | null;
  close?: Text | null;
  blocks: Block[];
  hash?: string;
  callback_id?: string;
}

export interface Completion {
  text: string;
  hint: string;
}

export interface Command {
  command: string;
  description: string;
  usage_hint: string;
  completions?: Completion[] | null;
}

/** Shortcut is an action of the app that people reach from anywhere. */
export interface Shortcut {
  name: string;
  callback_id: string;
  description: string;
  /** It stands in the menu of each message. */
  of_message?: boolean;
}

export type FaultValue = boolean | string | number;

export interface Fault {
  name: string;
  label: string;
  group: string;
  /** "bool" is a switch, "action" happens once, "choice" has options; anything else is typed in. */
  kind: string;
  help?: string;
  options?: string[] | null;
}

export interface TraceEntry {
  seq: number;
  time: string;
  kind: string;
  name: string;
  duration_ms: number;
  body?: unknown;
}

export interface State {
  team: { id: string; name: string };
  users: User[];
  channels: Channel[];
  messages: Record<string, Message[]>;
  homes: Record<string, View>;
  /** The open modals of each person, the top one last. */
  views?: Record<string, View[]> | null;
  commands: Command[];
  shortcuts?: Shortcut[] | null;
  clock: string;
  /** How many things that are due the clock waits for before it moves on. */
  waiting?: number;
  faults: Record<string, FaultValue>;
  fault_list: Fault[];
  connections: number;
  trace: TraceEntry[];
}

/** Delivery tells what became of an envelope that was sent to the app. */
export interface Delivery {
  envelope_id?: string;
  acked?: boolean;
  ack_after_ms?: number;
  err?: string;
}

export interface Answer {
  ok: boolean;
  error?: string;
  delivery?: Delivery | null;
}

export interface Text {
  type: "plain_text" | "mrkdwn";
  text: string;
  emoji?: boolean;
}

export interface Option {
  text: Text;
  value: string;
  description?: Text;
  url?: string;
}

export interface OptionGroup {
  label: Text;
  options: Option[];
}

export interface OptionList {
  options?: Option[] | null;
  option_groups?: OptionGroup[] | null;
}

export interface Confirm {
  title?: Text;
  text?: Text;
  confirm?: Text;
  deny?: Text;
  style?: string;
}

/** Block is any block, known or not. Who draws a type narrows it to that type's shape. */
export interface Block {
  type: string;
  block_id?: string;
  [field: string]: unknown;
}

/** Element is an interactive element. It is wide: an element uses the fields of its type and ignores the others. */
export interface Element {
  type: string;
  action_id?: string;
  text?: Text;
  value?: string;
  url?: string;
  style?: string;
  accessibility_label?: string;
  confirm?: Confirm;
  placeholder?: Text;
  options?: Option[];
  option_groups?: OptionGroup[];
  initial_option?: Option;
  initial_options?: Option[];
  initial_value?: string;
  initial_date?: string;
  initial_time?: string;
  initial_date_time?: number;
  initial_user?: string;
  initial_users?: string[];
  initial_channel?: string;
  initial_channels?: string[];
  initial_conversation?: string;
  initial_conversations?: string[];
  min_query_length?: number;
  min_length?: number;
  max_length?: number;
  min_value?: string;
  max_value?: string;
  is_decimal_allowed?: boolean;
  max_selected_items?: number;
  multiline?: boolean;
  focus_on_load?: boolean;
  dispatch_action_config?: { trigger_actions_on?: string[] };
  positive_button?: { text: Text; value: string; accessibility_label?: string };
  negative_button?: { text: Text; value: string; accessibility_label?: string };
  icon?: string;
  visible_to_user_ids?: string[];
}

/** Value is what one element holds, in the form that Slack uses in state.values. */
export interface Value {
  type: string;
  value?: string | null;
  selected_option?: Option | null;
  selected_options?: Option[];
  selected_date?: string | null;
  selected_time?: string | null;
  selected_date_time?: number | null;
  selected_user?: string | null;
  selected_users?: string[];
  selected_channel?: string | null;
  selected_channels?: string[];
  selected_conversation?: string | null;
  selected_conversations?: string[];
}

export type Values = Record<string, Record<string, Value>>;
