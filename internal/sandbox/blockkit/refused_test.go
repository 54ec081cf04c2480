package blockkit

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRefused(t *testing.T) {
	t.Parallel()
	id := func(id string) o { return button(o{"action_id": id}) }
	tests := []struct {
		name    string
		surface string
		blocks  any
		want    string // pointer
	}{
		{"no list", Message, o{}, "/blocks"},
		{"no object", Message, l{"x"}, "/blocks/0"},
		{"no type", Message, l{o{}}, "/blocks/0"},
		{"unknown type", Message, l{o{"type": "auth_provider"}}, "/blocks/0/type"},
		{"unknown field", Message, l{o{"type": "divider", "colour": "red"}}, "/blocks/0"},
		{"empty section", Message, l{o{"type": "section"}}, "/blocks/0"},
		{"text that is no object", Message, l{o{"type": "section", "text": "x"}}, "/blocks/0/text"},
		{"emoji in mrkdwn", Message, l{o{"type": "section", "text": o{"type": "mrkdwn", "text": "x", "emoji": true}}}, "/blocks/0/text"},
		{"mrkdwn header", Message, l{o{"type": "header", "text": mrkdwn(1)}}, "/blocks/0/text/type"},
		{"fractional level", Message, l{o{"type": "header", "text": plain(1), "level": 1.5}}, "/blocks/0/level"},
		{"block_id twice", Message, l{o{"type": "divider", "block_id": "a"}, o{"type": "divider", "block_id": "a"}}, "/blocks/1/block_id"},
		{"block_id twice, one nested", Message, l{o{"type": "divider", "block_id": "a"}, container(o{"child_blocks": l{o{"type": "divider", "block_id": "a"}}})}, "/blocks/1/child_blocks/0/block_id"},
		{"action_id twice in a block", Message, l{actions(id("a"), id("a"))}, "/blocks/0/elements/1/action_id"},
		{"action_id twice in a data_table", Message, l{dataTable(l{l{cell(1)}, l{o{"type": "action_cell", "element": id("a")}}, l{o{"type": "action_cell", "element": id("a")}}}, nil)}, "/blocks/0/rows/2/0/element/action_id"},
		{"input element in actions", Message, l{actions(o{"type": "plain_text_input"})}, "/blocks/0/elements/0/type"},
		{"button in input", Message, l{input(button(nil))}, "/blocks/0/element/type"},
		{"button style", Message, l{actions(button(o{"style": "default"}))}, "/blocks/0/elements/0/style"},
		{"button url", Message, l{actions(button(o{"url": "not an address"}))}, "/blocks/0/elements/0/url"},
		{"image without source", Message, l{o{"type": "image", "alt_text": "a"}}, "/blocks/0"},
		{"image with two sources", Message, l{o{"type": "image", "alt_text": "a", "image_url": address(40), "slack_file": o{"id": "F1"}}}, "/blocks/0"},
		{"slack_file with both", Message, l{o{"type": "image", "alt_text": "a", "slack_file": o{"id": "F1", "url": address(40)}}}, "/blocks/0/slack_file"},
		{"image without alt_text", Message, l{o{"type": "image", "image_url": address(40)}}, "/blocks/0"},
		{"options and groups", Message, l{actions(menu("static_select", o{"options": options(1), "option_groups": l{o{"label": plain(1), "options": options(1)}}}))}, "/blocks/0/elements/0"},
		{"initial option that is none", Message, l{actions(menu("static_select", o{"options": options(1), "initial_option": choiceOf(2)}))}, "/blocks/0/elements/0/initial_option"},
		{"initial options that are none", Message, l{actions(menu("checkboxes", o{"options": options(1), "initial_options": l{choiceOf(2)}}))}, "/blocks/0/elements/0/initial_options"},
		{"option url outside overflow", Message, l{actions(menu("static_select", o{"options": l{plus(choiceOf(1), o{"url": address(40)})}}))}, "/blocks/0/elements/0/options/0"},
		{"bad date", Message, l{actions(o{"type": "datepicker", "initial_date": "today"})}, "/blocks/0/elements/0/initial_date"},
		{"bad time", Message, l{actions(o{"type": "timepicker", "initial_time": "24:00"})}, "/blocks/0/elements/0/initial_time"},
		{"column without align", Message, l{plus(table(rows(1, 1)), o{"column_settings": l{o{"align": ""}}})}, "/blocks/0/column_settings/0/align"},
		{"data_table without caption", Message, l{o{"type": "data_table", "rows": rows(2, 1)}}, "/blocks/0"},
		{"data_table rows of two lengths", Message, l{dataTable(l{same(2, cell(1)), same(1, cell(1))}, nil)}, "/blocks/0/rows/1"},
		{"data_table header of numbers", Message, l{dataTable(l{l{o{"type": "raw_number", "value": 1}}, l{cell(1)}}, nil)}, "/blocks/0/rows/0/0/type"},
		{"data_table number without text", Message, l{dataTable(l{l{cell(1)}, l{o{"type": "raw_number", "value": 1}}}, nil)}, "/blocks/0/rows/1/0"},
		{"data_table number with an empty text", Message, l{dataTable(l{l{cell(1)}, l{o{"type": "raw_number", "value": 1, "text": ""}}}, nil)}, "/blocks/0/rows/1/0/text"},
		{"table number without text", Message, l{table(l{l{o{"type": "raw_number", "value": 1}}})}, "/blocks/0/rows/0/0"},
		{"table null cell", Message, l{table(l{l{nil}})}, "/blocks/0/rows/0/0"},
		{"task without status", Message, l{o{"type": "task_card", "task_id": "1", "title": "x"}}, "/blocks/0"},
		{"workflow without an address", Message, l{actions(o{"type": "workflow_button", "text": plain(1), "workflow": o{"trigger": o{}}})}, "/blocks/0/elements/0/workflow/trigger"},
		{"person in preformatted text", Message, l{o{"type": "rich_text", "elements": l{o{"type": "rich_text_preformatted", "elements": l{o{"type": "user", "user_id": "U1"}}}}}}, "/blocks/0/elements/0/elements/0/type"},
		{"data_table null cell", Message, l{dataTable(l{l{cell(1)}, l{nil}}, nil)}, "/blocks/0/rows/1/0"},
		{"action_cell in a table", Message, l{table(l{l{o{"type": "action_cell", "element": button(nil)}}})}, "/blocks/0/rows/0/0/type"},
		{"action_cell fallback", Message, l{dataTable(l{l{cell(1)}, l{o{"type": "action_cell", "element": button(nil), "fallback": button(nil)}}}, nil)}, "/blocks/0/rows/1/0/fallback/type"},
		{"raw_number of text", Message, l{dataTable(l{l{cell(1)}, l{o{"type": "raw_number", "value": "1"}}}, nil)}, "/blocks/0/rows/1/0/value"},
		{"chart of unknown type", Message, l{chart(o{"type": "radar"})}, "/blocks/0/chart/type"},
		{"pie of nothing", Message, l{chart(o{"type": "pie", "segments": l{o{"label": "x", "value": 0}}})}, "/blocks/0/chart/segments/0/value"},
		{"series of one name", Message, l{chart(plus(bars(1, 1), o{"series": same(2, bars(1, 1)["series"].(l)[0])}))}, "/blocks/0/chart/series/1/name"},
		{"point of no category", Message, l{chart(plus(bars(1, 1), o{"axis_config": o{"categories": l{"other"}}}))}, "/blocks/0/chart/series/0/data/0/label"},
		{"fewer points than categories", Message, l{chart(plus(bars(1, 1), o{"axis_config": o{"categories": l{"p0", "p1"}}}))}, "/blocks/0/chart/series/0/data"},
		{"category twice", Message, l{chart(plus(bars(1, 1), o{"axis_config": o{"categories": l{"p0", "p0"}}}))}, "/blocks/0/chart/axis_config/categories/1"},
		{"card without anything", Message, l{o{"type": "card", "subtitle": plain(1)}}, "/blocks/0"},
		{"card with a bare string", Message, l{o{"type": "card", "title": "x"}}, "/blocks/0/title"},
		{"card with two icons", Message, l{aCard(o{"slack_icon": o{"type": "icon", "name": "rocket"}, "icon": o{"type": "image", "image_url": address(40), "alt_text": "a"}})}, "/blocks/0"},
		{"container without title", Message, l{o{"type": "container", "child_blocks": l{o{"type": "divider"}}}}, "/blocks/0"},
		{"data_table in a container", Message, l{container(o{"child_blocks": l{dataTable(rows(2, 1), nil)}})}, "/blocks/0/child_blocks/0/type"},
		{"divider of what collapses", Message, l{container(o{"is_collapsible": true, "has_header_divider": true})}, "/blocks/0/has_header_divider"},
		{"collapsed but not collapsible", Message, l{container(o{"default_collapsed": true})}, "/blocks/0/default_collapsed"},
		{"markdown in a layout", Message, l{layout(o{"rows": l{o{"items": l{o{"block": markdown(1)}}}}})}, "/blocks/0/rows/0/items/0/block/type"},
		{"rich text of nothing", Message, l{o{"type": "rich_text", "elements": l{}}}, "/blocks/0/elements"},
		{"rich text with an empty line", Message, l{o{"type": "rich_text", "elements": l{o{"type": "rich_text_section", "elements": l{}}}}}, "/blocks/0/elements/0/elements"},
		{"rich text with an empty text", Message, l{o{"type": "rich_text", "elements": l{o{"type": "rich_text_section", "elements": l{o{"type": "text", "text": ""}}}}}}, "/blocks/0/elements/0/elements/0/text"},
		{"empty cell", Message, l{dataTable(l{l{cell(1)}, l{cell(0)}}, nil)}, "/blocks/0/rows/1/0/text"},
		{"rich text of unknown parts", Message, l{o{"type": "rich_text", "elements": l{o{"type": "rich_text_section", "elements": l{o{"type": "x"}}}}}}, "/blocks/0/elements/0/elements/0/type"},
		{"alert in a message", Message, l{o{"type": "alert", "text": plain(1)}}, "/blocks/0/type"},
		{"alert in a Home tab", Home, l{o{"type": "alert", "text": plain(1)}}, "/blocks/0/type"},
		{"table in a modal", Modal, l{table(rows(1, 1))}, "/blocks/0/type"},
		{"data_table in a modal", Modal, l{dataTable(rows(2, 1), nil)}, "/blocks/0/type"},
		{"data_table in a modal's layout", Modal, l{layout(o{"rows": l{o{"items": l{o{"block": dataTable(rows(2, 1), nil)}}}}})}, "/blocks/0/rows/0/items/0/block/type"},
		{"chart in a modal", Modal, l{chart(bars(1, 1))}, "/blocks/0/type"},
		{"chart in a Home tab", Home, l{chart(bars(1, 1))}, "/blocks/0/type"},
		{"carousel in a modal", Modal, l{o{"type": "carousel", "elements": l{aCard(nil)}}}, "/blocks/0/type"},
		{"container in a modal", Modal, l{container(nil)}, "/blocks/0/type"},
		{"markdown in a modal", Modal, l{markdown(1)}, "/blocks/0/type"},
		{"context_actions in a Home tab", Home, l{o{"type": "context_actions", "elements": l{o{"type": "icon_button", "icon": "trash", "text": plain(1)}}}}, "/blocks/0/type"},
		{"plan in a modal", Modal, l{o{"type": "plan", "title": "x"}}, "/blocks/0/type"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			faults := Check(tc.surface, encoded(t, tc.blocks))
			if !slices.ContainsFunc(faults, func(f Fault) bool { return f.Pointer == tc.want }) {
				t.Errorf("faults = %v, want one at %s", faults, tc.want)
			}
		})
	}
}

// The words are Slack's, with the pointer of the object that lacks the field.
func TestNumberWithoutText(t *testing.T) {
	t.Parallel()
	number := o{"type": "raw_number", "value": 1}
	for name, block := range map[string]o{"data_table": dataTable(l{l{cell(1)}, l{number}}, nil), "table": table(l{l{cell(1)}, l{number}})} {
		want := []Fault{{Pointer: "/blocks/0/rows/1/0", Message: "missing required field: text"}}
		if diff := cmp.Diff(want, Check(Message, encoded(t, l{block}))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
