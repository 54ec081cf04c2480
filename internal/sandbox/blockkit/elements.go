package blockkit

import (
	"maps"
	"regexp"
	"slices"
)

// Elements: https://docs.slack.dev/reference/block-kit/block-elements

func elements() map[string]rule {
	all := map[string]rule{}
	for _, family := range []map[string]rule{buttons(), menus(), multiMenus(), pickers(), inputs()} {
		maps.Copy(all, family)
	}
	return all
}

// interactive returns the rule of an interactive element of one type: the common fields and f.
func interactive(name string, f fields, more ...func(*checker, string, map[string]any)) rule {
	f["action_id"] = may(both(text(1, 255), uniqueAction))
	return typed(name, f, more...)
}

// uniqueAction requires action ids to be unique within a block.
func uniqueAction(c *checker, at string, v any) {
	id, _ := v.(string)
	if c.actionIDs[id] {
		c.fault(at, "`action_id` %q already exists in this block", id)
	}
	if c.actionIDs != nil {
		c.actionIDs[id] = true
	}
}

// with adds fields to a copy of f.
func with(f fields, more fields) fields {
	out := maps.Clone(f)
	maps.Copy(out, more)
	return out
}

func buttons() map[string]rule {
	users := may(list(1, many, text(1, 255)))
	label := fields{"text": need(plainText(75)), "value": need(text(1, 2000)), "accessibility_label": may(text(1, 75))}
	return map[string]rule{
		"button": interactive("button", fields{
			"text": need(plainText(75)), "url": may(link), "value": may(text(1, 2000)), "style": may(oneOf("primary", "danger")),
			"confirm": may(confirm()), "accessibility_label": may(text(1, 75)),
			"agent_prompt": may(text(1, 4000)), "agent_prompt_display": may(text(1, 4000)), "visible_to_user_ids": users,
		}),
		"workflow_button": interactive("workflow_button", fields{
			"text": need(plainText(75)), "workflow": need(object(fields{"trigger": need(object(fields{
				"url": need(link), "customizable_input_parameters": may(list(0, many, object(fields{
					"name": need(text(1, many)), "value": need(text(0, many)),
				}))),
			}))})),
			"style": may(oneOf("primary", "danger")), "accessibility_label": may(text(1, 75)),
		}),
		"feedback_buttons": interactive("feedback_buttons", fields{
			"positive_button": need(object(label)), "negative_button": need(object(label)),
		}),
		"icon_button": interactive("icon_button", fields{
			"icon": need(oneOf("trash")), "text": need(plainText(75)), "value": may(text(1, 2000)),
			"confirm": may(confirm()), "accessibility_label": may(text(1, 75)), "visible_to_user_ids": users,
		}),
		"image": picture(),
	}
}

// focus counts the elements that request the cursor: a view may have one.
func focus(c *checker, at string, v any) {
	flag(c, at, v)
	if v == true {
		c.totals.focused++
		if c.totals.focused > 1 {
			c.fault(at, "only one element can have focus_on_load")
		}
	}
}

func menus() map[string]rule {
	common := fields{"placeholder": may(plainText(150)), "confirm": may(confirm()), "focus_on_load": may(focus)}
	choose := option(plainText(75))
	boxes := fields{"options": need(list(1, 10, option(anyText(75)))), "confirm": may(confirm()), "focus_on_load": may(focus)}
	return map[string]rule{
		"static_select": interactive("static_select", with(common, fields{
			"options": may(list(1, 100, choose)), "option_groups": may(optionGroups()), "initial_option": may(choose),
		}), exactlyOne("options", "option_groups"), initial),
		"external_select": interactive("external_select", with(common, fields{
			"initial_option": may(choose), "min_query_length": may(whole(0, many)),
		})),
		"users_select": interactive("users_select", with(common, fields{"initial_user": may(text(1, 255))})),
		"conversations_select": interactive("conversations_select", with(common, fields{
			"initial_conversation": may(text(1, 255)), "default_to_current_conversation": may(flag),
			"response_url_enabled": may(flag), "filter": may(conversationFilter()),
		})),
		"channels_select": interactive("channels_select", with(common, fields{
			"initial_channel": may(text(1, 255)), "response_url_enabled": may(flag),
		})),
		"overflow": interactive("overflow", fields{"options": need(list(1, 5, overflowOption())), "confirm": may(confirm())}),
		"radio_buttons": interactive("radio_buttons", with(boxes, fields{
			"initial_option": may(option(anyText(75))),
		}), initial),
		"checkboxes": interactive("checkboxes", with(boxes, fields{
			"initial_options": may(list(1, 10, option(anyText(75)))), "visible_to_user_ids": may(list(1, many, text(1, 255))),
		}), initial),
	}
}

func multiMenus() map[string]rule {
	common := fields{
		"placeholder": may(plainText(150)), "confirm": may(confirm()), "focus_on_load": may(focus),
		"max_selected_items": may(whole(1, many)),
	}
	choose := option(plainText(75))
	ids := may(list(0, many, text(1, 255)))
	return map[string]rule{
		"multi_static_select": interactive("multi_static_select", with(common, fields{
			"options": may(list(1, 100, choose)), "option_groups": may(optionGroups()), "initial_options": may(list(1, 100, choose)),
		}), exactlyOne("options", "option_groups"), initial),
		"multi_external_select": interactive("multi_external_select", with(common, fields{
			"initial_options": may(list(1, 100, choose)), "min_query_length": may(whole(0, many)),
		})),
		"multi_users_select": interactive("multi_users_select", with(common, fields{"initial_users": ids})),
		"multi_conversations_select": interactive("multi_conversations_select", with(common, fields{
			"initial_conversations": ids, "default_to_current_conversation": may(flag), "filter": may(conversationFilter()),
		})),
		"multi_channels_select": interactive("multi_channels_select", with(common, fields{"initial_channels": ids})),
	}
}

func pickers() map[string]rule {
	common := fields{"confirm": may(confirm()), "focus_on_load": may(focus)}
	hint := fields{"placeholder": may(plainText(150))}
	return map[string]rule{
		"datepicker": interactive("datepicker", with(with(common, hint), fields{
			"initial_date": may(matching(regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`), "date")),
		})),
		"timepicker": interactive("timepicker", with(with(common, hint), fields{
			"initial_time": may(matching(regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d$`), "time")), "timezone": may(text(1, 255)),
		})),
		"datetimepicker": interactive("datetimepicker", with(common, fields{
			"initial_date_time": may(whole(1_000_000_000, 9_999_999_999)),
		})),
	}
}

func inputs() map[string]rule {
	common := fields{
		"placeholder": may(plainText(150)), "focus_on_load": may(focus), "dispatch_action_config": may(dispatchConfig()),
	}
	amount := may(matching(regexp.MustCompile(`^-?\d+(\.\d+)?$`), "number"))
	return map[string]rule{
		"plain_text_input": interactive("plain_text_input", with(common, fields{
			"initial_value": may(text(1, 3000)), "multiline": may(flag),
			"min_length": may(whole(0, 3000)), "max_length": may(whole(1, 3000)),
		})),
		"email_text_input": interactive("email_text_input", with(common, fields{"initial_value": may(text(1, 3000))})),
		"url_text_input":   interactive("url_text_input", with(common, fields{"initial_value": may(text(1, 3000))})),
		"number_input": interactive("number_input", with(common, fields{
			"is_decimal_allowed": need(flag), "initial_value": amount, "min_value": amount, "max_value": amount,
		})),
		"rich_text_input": interactive("rich_text_input", with(common, fields{
			"initial_value": may(richText(nil)), "min_lines": may(whole(1, many)), "max_lines": may(whole(1, many)),
		})),
		"file_input": interactive("file_input", fields{
			"filetypes": may(list(1, many, text(1, 255))), "max_files": may(whole(1, 10)),
		}),
	}
}

// Where elements may stand.

func selects() []string {
	var out []string
	for _, what := range []string{"static", "external", "users", "conversations", "channels"} {
		out = append(out, what+"_select", "multi_"+what+"_select")
	}
	return out
}

func inSection() []string {
	return append(selects(), "button", "checkboxes", "datepicker", "image", "overflow", "radio_buttons", "timepicker", "workflow_button")
}

func inActions() []string {
	return append(selects(), "button", "checkboxes", "datepicker", "datetimepicker", "overflow", "radio_buttons", "timepicker", "workflow_button")
}

func inInput() []string {
	return append(selects(), "checkboxes", "datepicker", "datetimepicker", "email_text_input", "file_input", "number_input",
		"plain_text_input", "radio_buttons", "rich_text_input", "timepicker", "url_text_input")
}

// element accepts an element of one of the types.
func element(allowed ...string) rule {
	return func(c *checker, at string, v any) {
		c.pick(at, v, func(name string) rule {
			if !slices.Contains(allowed, name) {
				return nil
			}
			return c.rules.elements[name]
		})
	}
}
