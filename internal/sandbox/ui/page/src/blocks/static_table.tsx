// The older table block: no heading row, no sorting. Drawn here because the library fails on number cells.
import type { Block } from "../types.ts";
import { CellContent } from "./cell.tsx";
import type { Cell } from "./table_logic.ts";
import { blockID } from "./values.ts";

interface Column {
  align?: "left" | "center" | "right";
  is_wrapped?: boolean;
}

export function StaticTable({ block }: { block: Block }) {
  const rows = (block["rows"] ?? []) as Cell[][];
  const columns = (block["column_settings"] ?? []) as (Column | null)[];
  return (
    <div className="static-table" role="region" aria-label="Table" tabIndex={0} data-testid="table">
      <table>
        <tbody>
          {rows.map((row, r) => (
            <tr key={r}>
              {row.map((cell, c) => (
                <td key={c} className={columns[c]?.is_wrapped ? undefined : "nowrap"} style={{ textAlign: columns[c]?.align ?? "left" }}>
                  <CellContent cell={cell} blockID={blockID(block)} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
