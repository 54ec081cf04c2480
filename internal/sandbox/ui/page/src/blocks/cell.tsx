// What stands in one cell of a table or data_table.
import { useMemo } from "react";
import type { Block } from "../types.ts";
import { Button } from "./button.tsx";
import { Drawn } from "./library.tsx";
import { cellText, type Cell } from "./table_logic.ts";

const numberFormat = new Intl.NumberFormat();

export function CellContent({ cell, blockID }: { cell: Cell; blockID: string }) {
  const blocks = useMemo(() => [cell as Block], [cell]);
  switch (cell.type) {
    case "raw_number":
      return cell.text ?? numberFormat.format(cell.value ?? 0);
    case "rich_text":
      return <Drawn blocks={blocks} />;
    case "action_cell":
      return cell.element ? <Button blockID={blockID} e={cell.element} /> : cellText(cell.fallback);
    case "raw_text":
      return cell.text ?? "";
    default:
      return <span className="unsupported">unsupported cell: {cell.type}</span>;
  }
}
