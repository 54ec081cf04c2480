// The data_table block: a table that people sort, filter and page without the app.
import { memo, useId, useState, type CSSProperties } from "react";
import { CellContent } from "./cell.tsx";
import { EmojiText } from "./emoji_text.tsx";
import { blockID } from "./values.ts";
import {
  cellText, columnWidth, defaultPageSize, isAction, isNumeric, matching, nextSort, pageOf, sorted,
  type Cell, type Page, type Sort, type Table,
} from "./table_logic.ts";

export function DataTable({ block }: { block: Table }) {
  const [sort, setSort] = useState<Sort | null>(null);
  const [query, setQuery] = useState("");
  const [index, setIndex] = useState(0);
  const [head = [], ...body] = block.rows ?? [];
  const caption = useId();
  const numeric = head.map((_, c) => isNumeric(body, c));
  const found = sorted(matching(body, query), sort);
  const size = block.page_size ?? defaultPageSize;
  const page = pageOf(found, index, size);

  return (
    <div className="data-table" data-testid="data-table" data-block-id={block.block_id}>
      <div className="table-top">
        <span className="table-caption" id={caption}>{block.caption ?? "Table"}</span>
        {body.length > size && (
          <input
            type="search"
            className="field table-filter"
            placeholder="Filter rows"
            aria-label={`Filter the rows of ${block.caption ?? "the table"}`}
            data-testid="table-filter"
            value={query}
            onChange={(e) => {
              setQuery(e.target.value);
              setIndex(0);
            }}
          />
        )}
      </div>
      <div className="table-scroll" role="region" aria-labelledby={caption} tabIndex={0}>
        <table aria-labelledby={caption}>
          <thead>
            <tr>
              {head.map((c, i) => (
                <Heading
                  key={i}
                  cell={c}
                  numeric={numeric[i] ?? false}
                  sortable={!isAction(body, i)}
                  width={columnWidth(body, i)}
                  sort={sort?.column === i ? sort : null}
                  onSort={() => {
                    setSort(nextSort(sort, i));
                    setIndex(0);
                  }}
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {page.rows.map((row) => (
              <Row key={body.indexOf(row)} row={row} blockID={blockID(block)} numeric={numeric} header={block.row_header_column_index ?? -1} />
            ))}
            {page.rows.length === 0 && (
              <tr><td colSpan={head.length} className="table-empty">{query ? "No row matches the filter." : "No rows."}</td></tr>
            )}
          </tbody>
        </table>
      </div>
      <Pager page={page} total={found.length} of={body.length} onPage={setIndex} />
    </div>
  );
}

interface HeadingProps {
  cell: Cell;
  numeric: boolean;
  sortable: boolean;
  width: string;
  sort: Sort | null;
  onSort(): void;
}

function Heading({ cell, numeric, sortable, width, sort, onSort }: HeadingProps) {
  const text = <EmojiText text={cellText(cell)} />;
  const className = numeric ? "numeric" : undefined;
  const style = { "--wide": width } as CSSProperties;
  if (!sortable) return <th scope="col" className={className} style={style}><span className="plain-heading">{text}</span></th>;
  const arrow = sort ? (sort.direction === "ascending" ? "▲" : "▼") : "↕";
  return (
    <th scope="col" className={className} style={style} aria-sort={sort?.direction ?? "none"}>
      <button type="button" className={sort ? "sort sorted" : "sort"} data-testid="sort" onClick={onSort}>
        {text}
        <span className="arrow" aria-hidden="true">{arrow}</span>
      </button>
    </th>
  );
}

interface RowProps {
  row: Cell[];
  blockID: string;
  numeric: boolean[];
  header: number;
}

const Row = memo(function Row({ row, blockID, numeric, header }: RowProps) {
  return (
    <tr data-testid="row">
      {row.map((c, i) => {
        const content = <CellContent cell={c} blockID={blockID} />;
        const className = numeric[i] ? "numeric" : undefined;
        return i === header
          ? <th key={i} scope="row" className={className}>{content}</th>
          : <td key={i} className={className}>{content}</td>;
      })}
    </tr>
  );
}, (a, b) => a.row === b.row && a.blockID === b.blockID && a.header === b.header && a.numeric.join() === b.numeric.join());

interface PagerProps {
  page: Page;
  total: number;
  of: number;
  onPage(index: number): void;
}

function Pager({ page, total, of, onPage }: PagerProps) {
  const filtered = total < of ? ` (filtered from ${of})` : "";
  const text = total === 0 ? `0 of ${of}` : `${page.first}–${page.last} of ${total}${filtered}`;
  return (
    <div className="pager">
      <span role="status" data-testid="table-range">{text}</span>
      {page.count > 1 && (
        <span className="pager-buttons">
          <button type="button" className="btn icon" aria-label="Previous page" data-testid="table-prev" disabled={page.index === 0} onClick={() => onPage(page.index - 1)}>
            <span aria-hidden="true">‹</span>
          </button>
          <span className="pager-count">Page {page.index + 1} of {page.count}</span>
          <button type="button" className="btn icon" aria-label="Next page" data-testid="table-next" disabled={page.index === page.count - 1} onClick={() => onPage(page.index + 1)}>
            <span aria-hidden="true">›</span>
          </button>
        </span>
      )}
    </div>
  );
}
