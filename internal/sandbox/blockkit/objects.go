package blockkit

import (
	"reflect"
	"slices"
)

// Composition objects: https://docs.slack.dev/reference/block-kit/composition-objects

// plainText accepts a plain_text object.
func plainText(most int) rule {
	return choice(map[string]rule{"plain_text": plainObject(most)})
}

// anyText accepts a plain_text or mrkdwn object.
func anyText(most int) rule {
	return choice(map[string]rule{
		"plain_text": plainObject(most),
		"mrkdwn":     typed("mrkdwn", fields{"text": need(text(1, most)), "verbatim": may(flag)}),
	})
}

func plainObject(most int) rule {
	return typed("plain_text", fields{"text": need(text(1, most)), "emoji": may(flag)})
}

func confirm() rule {
	return object(fields{
		"title": need(plainText(100)), "text": need(anyText(300)),
		"confirm": need(plainText(30)), "deny": need(plainText(30)),
		"style": may(oneOf("primary", "danger")),
	})
}

// option accepts an entry of a menu. label is the rule for its text.
func option(label rule) rule {
	return object(fields{"text": need(label), "value": need(text(1, 150)), "description": may(plainText(75))})
}

// overflowOption may also have an address, which opens when it is chosen.
func overflowOption() rule {
	return object(fields{
		"text": need(plainText(75)), "value": need(text(1, 150)), "description": may(plainText(75)), "url": may(link),
	})
}

func optionGroups() rule {
	return list(1, 100, object(fields{
		"label": need(plainText(75)), "options": need(list(1, 100, option(plainText(75)))),
	}))
}

func suggestion() rule {
	return object(fields{
		"options": may(list(0, 100, option(plainText(75)))),
		"option_groups": may(list(0, 100, object(fields{
			"label": need(plainText(75)), "options": need(list(0, 100, option(plainText(75)))),
		}))),
	}, exactlyOne("options", "option_groups"))
}

// slackFile accepts a reference to an uploaded picture.
func slackFile() rule {
	return object(fields{"id": may(text(1, 255)), "url": may(link)}, exactlyOne("id", "url"))
}

// picture accepts the image element.
func picture() rule {
	return typed("image", fields{
		"image_url": may(link), "slack_file": may(slackFile()), "alt_text": need(text(1, 2000)),
	}, exactlyOne("image_url", "slack_file"))
}

func dispatchConfig() rule {
	return object(fields{"trigger_actions_on": may(list(1, 2, oneOf("on_enter_pressed", "on_character_entered")))})
}

func conversationFilter() rule {
	return object(fields{
		"include":                          may(list(1, 4, oneOf("im", "mpim", "private", "public"))),
		"exclude_external_shared_channels": may(flag),
		"exclude_bot_users":                may(flag),
	}, someOf("include", "exclude_external_shared_channels", "exclude_bot_users"))
}

// initial requires the initial choice to equal one of the options.
func initial(c *checker, at string, o map[string]any) {
	offered := allOptions(o)
	if one, ok := o["initial_option"]; ok && !holds(offered, one) {
		c.fault(at+"/initial_option", "must exactly match one of the options")
	}
	many, _ := o["initial_options"].([]any)
	for _, one := range many {
		if !holds(offered, one) {
			c.fault(at+"/initial_options", "must exactly match options")
			return
		}
	}
}

func allOptions(o map[string]any) []any {
	offered, _ := o["options"].([]any)
	groups, _ := o["option_groups"].([]any)
	for _, g := range groups {
		if group, ok := g.(map[string]any); ok {
			inner, _ := group["options"].([]any)
			offered = append(slices.Clip(offered), inner...)
		}
	}
	return offered
}

func holds(list []any, wanted any) bool {
	for _, one := range list {
		if reflect.DeepEqual(one, wanted) {
			return true
		}
	}
	return false
}
