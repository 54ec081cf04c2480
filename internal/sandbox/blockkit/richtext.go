package blockkit

// Rich text: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block

// richText accepts a rich_text object with further fields.
func richText(more fields) rule {
	border, indent := may(whole(0, 1)), may(whole(0, 8))
	section := typed("rich_text_section", fields{"elements": need(list(1, many, inline()))})
	return typed("rich_text", with(fields{
		"elements": need(list(1, many, choice(map[string]rule{
			"rich_text_section": section,
			"rich_text_list": typed("rich_text_list", fields{
				"style": need(oneOf("bullet", "ordered")), "elements": need(list(1, many, choice(map[string]rule{"rich_text_section": section}))),
				"indent": indent, "border": border, "offset": may(whole(0, many)),
			}),
			"rich_text_preformatted": typed("rich_text_preformatted", fields{
				"elements": need(list(1, many, choice(only(inlines(), "text", "link")))), "border": border, "language": may(text(1, 255)),
			}),
			"rich_text_quote": typed("rich_text_quote", fields{"elements": need(list(1, many, inline())), "border": border}),
		}))),
	}, more))
}

// inline accepts an element within a line of rich text.
func inline() rule { return choice(inlines()) }

// only selects some of the rules.
func only(all map[string]rule, names ...string) map[string]rule {
	some := map[string]rule{}
	for _, name := range names {
		some[name] = all[name]
	}
	return some
}

func inlines() map[string]rule {
	style := may(object(fields{
		"bold": may(flag), "italic": may(flag), "strike": may(flag), "code": may(flag), "underline": may(flag),
		"highlight": may(flag), "client_highlight": may(flag), "unlink": may(flag),
	}))
	id := need(text(1, 255))
	return map[string]rule{
		"text":      typed("text", fields{"text": need(text(1, maxMarkdown)), "style": style}),
		"link":      typed("link", fields{"url": need(link), "text": may(text(1, 3000)), "unsafe": may(flag), "style": style}),
		"emoji":     typed("emoji", fields{"name": id, "unicode": may(text(1, 255)), "skin_tone": may(whole(1, 6)), "url": may(link), "style": style}),
		"user":      typed("user", fields{"user_id": id, "style": style}),
		"channel":   typed("channel", fields{"channel_id": id, "style": style}),
		"usergroup": typed("usergroup", fields{"usergroup_id": id, "style": style}),
		"team":      typed("team", fields{"team_id": id, "style": style}),
		"broadcast": typed("broadcast", fields{"range": need(oneOf("here", "channel", "everyone")), "style": style}),
		"color":     typed("color", fields{"value": id, "style": style}),
		"date": typed("date", fields{
			"timestamp": need(whole(0, 9_999_999_999)), "format": need(text(1, 255)), "timezone": may(text(1, 255)),
			"url": may(link), "fallback": may(text(1, 3000)), "style": style,
		}),
	}
}
