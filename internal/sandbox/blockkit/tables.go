package blockkit

import "fmt"

// Tables: https://docs.slack.dev/reference/block-kit/blocks/table-block and
// data-table-block. Where the pages call a field optional and @slack/types, which
// Slack publishes too, requires it, the types are right: people have seen Slack
// refuse number cells without a text.

// Bounds of tables.
const (
	maxColumns       = 20
	maxTableRows     = 100
	maxDataTableRows = 201 // with the header
	maxPageSize      = 100
)

func tableBlocks() map[string]kind {
	cells := choice(plainCells())
	return map[string]kind{
		"table": block("table", messagesAndHome(), fields{
			"rows": need(list(1, maxTableRows, list(1, maxColumns, cells))),
			"column_settings": may(list(1, maxColumns, orNull(object(fields{
				"align": may(oneOf("left", "center", "right")), "is_wrapped": may(flag),
			})))),
		}),
		"data_table": block("data_table", messagesAndHome(), fields{
			"caption": need(text(1, many)), "page_size": may(whole(1, maxPageSize)),
			"row_header_column_index": may(whole(0, maxColumns-1)),
			"rows":                    need(list(2, maxDataTableRows, list(1, maxColumns, dataCell()))),
		}, sameLength, plainHeader, headerColumn),
	}
}

// plainCells are the cells allowed in both kinds of table.
func plainCells() map[string]rule {
	return map[string]rule{
		"raw_text":   typed("raw_text", fields{"text": need(text(1, many))}),
		"raw_number": typed("raw_number", fields{"value": need(number), "text": need(text(1, many))}),
		"rich_text":  richText(nil),
	}
}

// dataCell accepts a cell of a data_table, which may also contain a button.
func dataCell() rule {
	cells := plainCells()
	cells["action_cell"] = typed("action_cell", fields{
		"element":  need(element("button")),
		"fallback": may(choice(map[string]rule{"raw_text": cells["raw_text"], "raw_number": cells["raw_number"]})),
	})
	return choice(cells)
}

// rowsOf returns the rows that are lists.
func rowsOf(o map[string]any) [][]any {
	all, _ := o["rows"].([]any)
	rows := make([][]any, 0, len(all))
	for _, one := range all {
		row, _ := one.([]any)
		rows = append(rows, row)
	}
	return rows
}

func sameLength(c *checker, at string, o map[string]any) {
	rows := rowsOf(o)
	for i, row := range rows {
		if len(row) != len(rows[0]) {
			c.fault(fmt.Sprintf("%s/rows/%d", at, i), "must have %d cells, as the first row", len(rows[0]))
			return
		}
	}
}

// plainHeader requires plain text in the first row.
func plainHeader(c *checker, at string, o map[string]any) {
	rows := rowsOf(o)
	if len(rows) == 0 {
		return
	}
	for i, v := range rows[0] {
		if cell, ok := v.(map[string]any); ok && cell["type"] != "raw_text" {
			c.fault(fmt.Sprintf("%s/rows/0/%d/type", at, i), "a header cell must be raw_text")
		}
	}
}

func headerColumn(c *checker, at string, o map[string]any) {
	index, ok := o["row_header_column_index"].(float64)
	if rows := rowsOf(o); ok && len(rows) > 0 && index >= float64(len(rows[0])) && index < maxColumns {
		c.fault(at+"/row_header_column_index", "must be less than %d", len(rows[0]))
	}
}
