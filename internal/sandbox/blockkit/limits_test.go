package blockkit

import (
	"slices"
	"testing"
)

// limit is a number of Slack's: blocks made with it pass, those made with one more
// (or less, where it is a least number) are refused at the pointer.
type limit struct {
	name    string
	surface string // message unless said
	bound   int
	make    func(n int) l
	at      string
	least   bool
}

func limits() []limit {
	one := func(f func(n int) o) func(int) l { return func(n int) l { return l{f(n)} } }
	inMenu := func(kind, key string, f func(n int) any) func(int) l {
		return one(func(n int) o { return actions(menu(kind, o{key: f(n)})) })
	}
	line := func(n int) o {
		return o{"type": "rich_text", "elements": l{o{"type": "rich_text_section", "elements": l{o{"type": "link", "url": address(n)}}}}}
	}
	return []limit{
		{name: "blocks of a message", bound: 50, make: func(n int) l { return same(n, o{"type": "divider"}) }, at: "/blocks"},
		{name: "blocks of a modal", surface: Modal, bound: 100, make: func(n int) l { return same(n, o{"type": "divider"}) }, at: "/blocks"},
		{name: "blocks of a Home tab", surface: Home, bound: 100, make: func(n int) l { return same(n, o{"type": "divider"}) }, at: "/blocks"},
		{name: "block_id", bound: 255, make: one(func(n int) o { return o{"type": "divider", "block_id": long(n)} }), at: "/blocks/0/block_id"},

		{name: "section text", bound: 3000, make: one(func(n int) o { return o{"type": "section", "text": mrkdwn(n)} }), at: "/blocks/0/text/text"},
		{name: "section text, least", bound: 1, least: true, make: one(func(n int) o { return o{"type": "section", "text": plain(n)} }), at: "/blocks/0/text/text"},
		{name: "section fields", bound: 10, make: one(func(n int) o { return section(o{"fields": same(n, mrkdwn(1))}) }), at: "/blocks/0/fields"},
		{name: "section field", bound: 2000, make: one(func(n int) o { return section(o{"fields": l{plain(n)}}) }), at: "/blocks/0/fields/0/text"},
		{name: "header", bound: 150, make: one(func(n int) o { return o{"type": "header", "text": plain(n)} }), at: "/blocks/0/text/text"},
		{name: "header level", bound: 4, make: one(func(n int) o { return o{"type": "header", "text": plain(1), "level": n} }), at: "/blocks/0/level"},
		{name: "header level, least", bound: 1, least: true, make: one(func(n int) o { return o{"type": "header", "text": plain(1), "level": n} }), at: "/blocks/0/level"},
		{name: "context elements", bound: 10, make: one(func(n int) o { return o{"type": "context", "elements": same(n, mrkdwn(1))} }), at: "/blocks/0/elements"},
		{name: "context elements, least", bound: 1, least: true, make: one(func(n int) o { return o{"type": "context", "elements": same(n, mrkdwn(1))} }), at: "/blocks/0/elements"},
		{name: "actions elements", bound: 25, make: one(func(n int) o { return actions(same(n, button(nil))...) }), at: "/blocks/0/elements"},
		{name: "actions elements, least", bound: 1, least: true, make: one(func(n int) o { return actions(same(n, button(nil))...) }), at: "/blocks/0/elements"},
		{name: "context_actions elements", bound: 5, make: one(func(n int) o {
			return o{"type": "context_actions", "elements": same(n, o{"type": "icon_button", "icon": "trash", "text": plain(1)})}
		}), at: "/blocks/0/elements"},
		{name: "image alt_text", bound: 2000, make: one(func(n int) o { return o{"type": "image", "image_url": address(40), "alt_text": long(n)} }), at: "/blocks/0/alt_text"},
		{name: "image title", bound: 2000, make: one(func(n int) o {
			return o{"type": "image", "image_url": address(40), "alt_text": "a", "title": plain(n)}
		}), at: "/blocks/0/title/text"},
		{name: "image image_url", bound: 3000, make: one(func(n int) o { return o{"type": "image", "image_url": address(n), "alt_text": "a"} }), at: "/blocks/0/image_url"},
		{name: "input label", bound: 2000, make: one(func(n int) o {
			return o{"type": "input", "label": plain(n), "element": o{"type": "plain_text_input"}}
		}), at: "/blocks/0/label/text"},
		{name: "input hint", bound: 2000, make: one(func(n int) o {
			return plus(input(o{"type": "plain_text_input"}), o{"hint": plain(n)})
		}), at: "/blocks/0/hint/text"},
		{name: "video title", bound: 200, make: one(func(n int) o { return video(o{"title": plain(n)}) }), at: "/blocks/0/title/text"},
		{name: "video author", bound: 50, make: one(func(n int) o { return video(o{"author_name": long(n)}) }), at: "/blocks/0/author_name"},
		{name: "rich text link", bound: 3000, make: one(line), at: "/blocks/0/elements/0/elements/0/url"},
		{name: "one markdown block", bound: 12_000, make: one(markdown), at: "/blocks/0/text"},
		{name: "all markdown blocks", bound: 12_000, make: func(n int) l { return l{markdown(6000), markdown(n - 6000)} }, at: "/blocks/1/text"},
		{name: "text of a message", bound: 13_200, make: func(n int) l {
			return l{
				o{"type": "header", "text": plain(100)},
				section(o{"text": mrkdwn(3000)}), section(o{"text": mrkdwn(3000)}),
				section(o{"text": mrkdwn(3000)}), section(o{"text": mrkdwn(3000)}), section(o{"text": plain(n - 12_200)}),
			}
		}, at: "/blocks"},

		{name: "action_id", bound: 255, make: one(func(n int) o { return actions(button(o{"action_id": long(n)})) }), at: "/blocks/0/elements/0/action_id"},
		{name: "button text", bound: 75, make: one(func(n int) o { return actions(button(o{"text": plain(n)})) }), at: "/blocks/0/elements/0/text/text"},
		{name: "button value", bound: 2000, make: one(func(n int) o { return actions(button(o{"value": long(n)})) }), at: "/blocks/0/elements/0/value"},
		{name: "button url", bound: 3000, make: one(func(n int) o { return actions(button(o{"url": address(n)})) }), at: "/blocks/0/elements/0/url"},
		{name: "button accessibility_label", bound: 75, make: one(func(n int) o { return actions(button(o{"accessibility_label": long(n)})) }), at: "/blocks/0/elements/0/accessibility_label"},
		{name: "button agent_prompt", bound: 4000, make: one(func(n int) o { return actions(button(o{"agent_prompt": long(n)})) }), at: "/blocks/0/elements/0/agent_prompt"},
		{name: "confirm title", bound: 100, make: one(func(n int) o { return actions(button(o{"confirm": sure(o{"title": plain(n)})})) }), at: "/blocks/0/elements/0/confirm/title/text"},
		{name: "confirm text", bound: 300, make: one(func(n int) o { return actions(button(o{"confirm": sure(o{"text": mrkdwn(n)})})) }), at: "/blocks/0/elements/0/confirm/text/text"},
		{name: "confirm confirm", bound: 30, make: one(func(n int) o { return actions(button(o{"confirm": sure(o{"confirm": plain(n)})})) }), at: "/blocks/0/elements/0/confirm/confirm/text"},
		{name: "confirm deny", bound: 30, make: one(func(n int) o { return actions(button(o{"confirm": sure(o{"deny": plain(n)})})) }), at: "/blocks/0/elements/0/confirm/deny/text"},

		{name: "text of feedback", bound: 75, make: feedback("text", func(n int) any { return plain(n) }), at: "/blocks/0/elements/0/negative_button/text/text"},
		{name: "value of feedback", bound: 2000, make: feedback("value", func(n int) any { return long(n) }), at: "/blocks/0/elements/0/negative_button/value"},
		{name: "accessibility_label of feedback", bound: 75, make: feedback("accessibility_label", func(n int) any { return long(n) }), at: "/blocks/0/elements/0/negative_button/accessibility_label"},
		{name: "icon_button text", bound: 75, make: trash("text", func(n int) any { return plain(n) }), at: "/blocks/0/elements/0/text/text"},
		{name: "icon_button value", bound: 2000, make: trash("value", func(n int) any { return long(n) }), at: "/blocks/0/elements/0/value"},
		{name: "icon_button accessibility_label", bound: 75, make: trash("accessibility_label", func(n int) any { return long(n) }), at: "/blocks/0/elements/0/accessibility_label"},
		{name: "workflow_button text", bound: 75, make: one(func(n int) o {
			return actions(o{"type": "workflow_button", "text": plain(n), "workflow": o{"trigger": o{"url": address(40)}}})
		}), at: "/blocks/0/elements/0/text/text"},
		{name: "image element alt_text", bound: 2000, make: one(func(n int) o {
			return o{"type": "context", "elements": l{o{"type": "image", "image_url": address(40), "alt_text": long(n)}}}
		}), at: "/blocks/0/elements/0/alt_text"},

		{name: "static_select options", bound: 100, make: inMenu("static_select", "options", func(n int) any { return options(n) }), at: "/blocks/0/elements/0/options"},
		{name: "static_select groups", bound: 100, make: inMenu("static_select", "option_groups", func(count int) any {
			return same(count, o{"label": plain(1), "options": options(1)})
		}), at: "/blocks/0/elements/0/option_groups"},
		{name: "options in a group", bound: 100, make: inMenu("static_select", "option_groups", func(count int) any {
			return l{o{"label": plain(1), "options": options(count)}}
		}), at: "/blocks/0/elements/0/option_groups/0/options"},
		{name: "group label", bound: 75, make: inMenu("static_select", "option_groups", func(count int) any {
			return l{o{"label": plain(count), "options": options(1)}}
		}), at: "/blocks/0/elements/0/option_groups/0/label/text"},
		{name: "option text", bound: 75, make: inMenu("static_select", "options", func(n int) any { return l{o{"text": plain(n), "value": "v"}} }), at: "/blocks/0/elements/0/options/0/text/text"},
		{name: "option value", bound: 150, make: inMenu("static_select", "options", func(n int) any { return l{choiceOf(n)} }), at: "/blocks/0/elements/0/options/0/value"},
		{name: "option description", bound: 75, make: inMenu("static_select", "options", func(n int) any {
			return l{plus(choiceOf(1), o{"description": plain(n)})}
		}), at: "/blocks/0/elements/0/options/0/description/text"},
		{name: "placeholder", bound: 150, make: inMenu("external_select", "placeholder", func(n int) any { return plain(n) }), at: "/blocks/0/elements/0/placeholder/text"},
		{name: "overflow options", bound: 5, make: inMenu("overflow", "options", func(n int) any { return options(n) }), at: "/blocks/0/elements/0/options"},
		{name: "overflow url", bound: 3000, make: inMenu("overflow", "options", func(n int) any { return l{plus(choiceOf(1), o{"url": address(n)})} }), at: "/blocks/0/elements/0/options/0/url"},
		{name: "overflow text", bound: 75, make: inMenu("overflow", "options", func(n int) any { return l{o{"text": plain(n), "value": "v"}} }), at: "/blocks/0/elements/0/options/0/text/text"},
		{name: "overflow value", bound: 150, make: inMenu("overflow", "options", func(n int) any { return l{choiceOf(n)} }), at: "/blocks/0/elements/0/options/0/value"},
		{name: "overflow description", bound: 75, make: inMenu("overflow", "options", func(n int) any { return l{plus(choiceOf(1), o{"description": plain(n)})} }), at: "/blocks/0/elements/0/options/0/description/text"},
		{name: "text of an option in a group", bound: 75, make: inMenu("static_select", "option_groups", func(n int) any {
			return l{o{"label": plain(1), "options": l{o{"text": plain(n), "value": "v"}}}}
		}), at: "/blocks/0/elements/0/option_groups/0/options/0/text/text"},
		{name: "multi_static_select options", bound: 100, make: inMenu("multi_static_select", "options", func(n int) any { return options(n) }), at: "/blocks/0/elements/0/options"},
		{name: "multi_static_select option text", bound: 75, make: inMenu("multi_static_select", "options", func(n int) any { return l{o{"text": plain(n), "value": "v"}} }), at: "/blocks/0/elements/0/options/0/text/text"},
		{name: "placeholder of a multi select", bound: 150, make: inMenu("multi_users_select", "placeholder", func(n int) any { return plain(n) }), at: "/blocks/0/elements/0/placeholder/text"},
		{name: "placeholder of a date", bound: 150, make: inMenu("datepicker", "placeholder", func(n int) any { return plain(n) }), at: "/blocks/0/elements/0/placeholder/text"},
		{name: "placeholder of an input", surface: Modal, bound: 150, make: one(func(n int) o { return input(o{"type": "plain_text_input", "placeholder": plain(n)}) }), at: "/blocks/0/element/placeholder/text"},
		{name: "initial_value of an input", surface: Modal, bound: 3000, make: one(func(n int) o { return input(o{"type": "plain_text_input", "initial_value": long(n)}) }), at: "/blocks/0/element/initial_value"},
		{name: "checkbox text", bound: 75, make: inMenu("checkboxes", "options", func(n int) any { return l{o{"text": mrkdwn(n), "value": "v"}} }), at: "/blocks/0/elements/0/options/0/text/text"},
		{name: "checkboxes", bound: 10, make: inMenu("checkboxes", "options", func(n int) any { return options(n) }), at: "/blocks/0/elements/0/options"},
		{name: "radio buttons", bound: 10, make: inMenu("radio_buttons", "options", func(n int) any { return options(n) }), at: "/blocks/0/elements/0/options"},
		{name: "max_selected_items, least", bound: 1, least: true, make: inMenu("multi_users_select", "max_selected_items", func(n int) any { return n }), at: "/blocks/0/elements/0/max_selected_items"},
		{name: "plain_text_input max_length", surface: Modal, bound: 3000, make: one(func(n int) o { return input(o{"type": "plain_text_input", "max_length": n}) }), at: "/blocks/0/element/max_length"},
		{name: "plain_text_input min_length", surface: Modal, bound: 3000, make: one(func(n int) o { return input(o{"type": "plain_text_input", "min_length": n}) }), at: "/blocks/0/element/min_length"},
		{name: "file_input max_files", surface: Modal, bound: 10, make: one(func(n int) o { return input(o{"type": "file_input", "max_files": n}) }), at: "/blocks/0/element/max_files"},

		{name: "table rows", bound: 100, make: one(func(n int) o { return table(rows(n, 1)) }), at: "/blocks/0/rows"},
		{name: "table columns", bound: 20, make: one(func(n int) o { return table(rows(1, n)) }), at: "/blocks/0/rows/0"},
		{name: "table column_settings", bound: 20, make: one(func(n int) o { return plus(table(rows(1, 20)), o{"column_settings": same(n, nil)}) }), at: "/blocks/0/column_settings"},
		{name: "table characters", bound: 10_000, make: one(func(n int) o { return table(l{l{cell(5000), cell(n - 5000)}}) }), at: "/blocks/0/rows"},
		{name: "data_table rows", bound: 201, make: one(func(n int) o { return dataTable(rows(n, 1), nil) }), at: "/blocks/0/rows"},
		{name: "data_table rows, least", bound: 2, least: true, make: one(func(n int) o { return dataTable(rows(n, 1), nil) }), at: "/blocks/0/rows"},
		{name: "data_table columns", bound: 20, make: one(func(n int) o { return dataTable(rows(2, n), nil) }), at: "/blocks/0/rows/0"},
		{name: "data_table page_size", bound: 100, make: one(func(n int) o { return dataTable(rows(2, 1), o{"page_size": n}) }), at: "/blocks/0/page_size"},
		{name: "data_table page_size, least", bound: 1, least: true, make: one(func(n int) o { return dataTable(rows(2, 1), o{"page_size": n}) }), at: "/blocks/0/page_size"},
		{name: "data_table row_header_column_index", bound: 1, make: one(func(n int) o { return dataTable(rows(2, 2), o{"row_header_column_index": n}) }), at: "/blocks/0/row_header_column_index"},
		{name: "data_table characters", bound: 20_000, make: one(func(n int) o { return dataTable(l{l{cell(10_000)}, l{cell(n - 10_000)}}, nil) }), at: "/blocks/0/rows"},
		{name: "characters over all tables", bound: 20_000, make: func(n int) l {
			return l{dataTable(l{l{cell(5000)}, l{cell(5000)}}, nil), dataTable(l{l{cell(5000)}, l{cell(n - 15_000)}}, nil)}
		}, at: "/blocks/1/rows"},

		{name: "chart title", bound: 50, make: one(func(n int) o { return plus(chart(bars(1, 1)), o{"title": long(n)}) }), at: "/blocks/0/title"},
		{name: "chart series", bound: 12, make: one(func(n int) o { return chart(bars(n, 1)) }), at: "/blocks/0/chart/series"},
		{name: "chart series, least", bound: 1, least: true, make: one(func(n int) o { return chart(bars(n, 1)) }), at: "/blocks/0/chart/series"},
		{name: "chart points", bound: 20, make: one(func(n int) o { return chart(bars(1, n)) }), at: "/blocks/0/chart/series/0/data"},
		{name: "chart series name", bound: 20, make: one(func(n int) o {
			return chart(plus(bars(1, 1), o{"series": l{o{"name": long(n), "data": l{o{"label": "p0", "value": 1}}}}}))
		}), at: "/blocks/0/chart/series/0/name"},
		{name: "chart category", bound: 20, make: one(func(n int) o {
			return chart(o{"type": "line", "axis_config": o{"categories": l{long(n)}}, "series": l{o{"name": "s", "data": l{o{"label": long(n), "value": 1}}}}})
		}), at: "/blocks/0/chart/axis_config/categories/0"},
		{name: "chart x_label", bound: 50, make: one(func(n int) o {
			return chart(plus(bars(1, 1), o{"axis_config": o{"categories": l{"p0"}, "x_label": long(n)}}))
		}), at: "/blocks/0/chart/axis_config/x_label"},
		{name: "chart y_label", bound: 50, make: one(func(n int) o {
			return chart(plus(bars(1, 1), o{"axis_config": o{"categories": l{"p0"}, "y_label": long(n)}}))
		}), at: "/blocks/0/chart/axis_config/y_label"},
		{name: "pie segments", bound: 12, make: one(func(n int) o { return chart(o{"type": "pie", "segments": same(n, o{"label": "x", "value": 1})}) }), at: "/blocks/0/chart/segments"},
		{name: "pie label", bound: 20, make: one(func(n int) o { return chart(o{"type": "pie", "segments": l{o{"label": long(n), "value": 1}}}) }), at: "/blocks/0/chart/segments/0/label"},
		{name: "charts in a message", bound: 2, make: func(n int) l { return same(n, chart(bars(1, 1))) }, at: "/blocks/2"},

		{name: "alert text", surface: Modal, bound: 200, make: one(func(n int) o { return o{"type": "alert", "text": mrkdwn(n)} }), at: "/blocks/0/text/text"},
		{name: "card title", bound: 150, make: one(func(n int) o { return aCard(o{"title": mrkdwn(n)}) }), at: "/blocks/0/title/text"},
		{name: "card subtitle", bound: 150, make: one(func(n int) o { return aCard(o{"subtitle": mrkdwn(n)}) }), at: "/blocks/0/subtitle/text"},
		{name: "card body", bound: 200, make: one(func(n int) o { return aCard(o{"body": mrkdwn(n)}) }), at: "/blocks/0/body/text"},
		{name: "card subtext", bound: 200, make: one(func(n int) o { return aCard(o{"subtext": mrkdwn(n)}) }), at: "/blocks/0/subtext/text"},
		{name: "card actions", bound: 3, make: one(func(n int) o { return aCard(o{"actions": same(n, button(nil))}) }), at: "/blocks/0/actions"},
		{name: "carousel cards", bound: 10, make: one(func(n int) o { return o{"type": "carousel", "elements": same(n, aCard(nil))} }), at: "/blocks/0/elements"},
		{name: "carousel cards, least", bound: 1, least: true, make: one(func(n int) o { return o{"type": "carousel", "elements": same(n, aCard(nil))} }), at: "/blocks/0/elements"},
		{name: "container title", bound: 150, make: one(func(n int) o { return container(o{"title": plain(n)}) }), at: "/blocks/0/title/text"},
		{name: "container subtitle", bound: 150, make: one(func(n int) o { return container(o{"subtitle": plain(n)}) }), at: "/blocks/0/subtitle/text"},
		{name: "container children", bound: 10, make: one(func(n int) o { return container(o{"child_blocks": same(n, o{"type": "divider"})}) }), at: "/blocks/0/child_blocks"},
		{name: "container children, least", bound: 1, least: true, make: one(func(n int) o { return container(o{"child_blocks": same(n, o{"type": "divider"})}) }), at: "/blocks/0/child_blocks"},
		{name: "layout label", bound: 150, make: one(func(n int) o { return layout(o{"label": long(n)}) }), at: "/blocks/0/label"},
		{name: "layout rows", bound: 5, make: one(func(n int) o { return layout(o{"rows": same(n, items(1)[0])}) }), at: "/blocks/0/rows"},
		{name: "layout items", bound: 3, make: one(func(n int) o { return layout(o{"rows": items(n)}) }), at: "/blocks/0/rows/0/items"},
		{name: "nesting", bound: 2, make: one(func(n int) o {
			inner := any(o{"type": "divider"})
			for range n - 1 {
				inner = container(o{"child_blocks": l{inner}})
				inner = layout(o{"rows": l{o{"items": l{o{"block": inner}}}}})
			}
			return inner.(o)
		}), at: "/blocks/0/rows/0/items/0/block/child_blocks/0"},
		{name: "elements with focus", surface: Modal, bound: 1, make: func(count int) l {
			return n(count, func(int) any { return input(o{"type": "plain_text_input", "focus_on_load": true}) })
		}, at: "/blocks/1/element/focus_on_load"},
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, tc := range limits() {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			surface, beyond := Message, tc.bound+1
			if tc.surface != "" {
				surface = tc.surface
			}
			if tc.least {
				beyond = tc.bound - 1
			}
			if faults := Check(surface, encoded(t, tc.make(tc.bound))); len(faults) > 0 {
				t.Errorf("at the limit of %d: %v, want no faults", tc.bound, faults)
			}
			faults := Check(surface, encoded(t, tc.make(beyond)))
			if !slices.ContainsFunc(faults, func(f Fault) bool { return f.Pointer == tc.at }) {
				t.Errorf("with %d the faults are %v, want one at %s", beyond, faults, tc.at)
			}
		})
	}
}
