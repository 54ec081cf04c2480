package blockkit

// Blocks that Slack has had for long: https://docs.slack.dev/reference/block-kit/blocks

// block returns the rule of a block of one type: the common fields and f.
func block(name string, surfaces []string, f fields, more ...func(*checker, string, map[string]any)) kind {
	f["block_id"] = may(text(1, 255))
	return kind{surfaces, typed(name, f, more...)}
}

func plainBlocks() map[string]kind {
	return map[string]kind{
		"section": block("section", everywhere(), fields{
			"text": may(anyText(3000)), "fields": may(list(1, 10, anyText(2000))),
			"accessory": may(element(inSection()...)), "expand": may(flag),
		}, someOf("text", "fields")),
		"header":  block("header", everywhere(), fields{"text": need(plainText(150)), "level": may(whole(1, 4))}),
		"divider": block("divider", everywhere(), fields{}),
		"context": block("context", everywhere(), fields{"elements": need(list(1, 10, contextElement()))}),
		"actions": block("actions", everywhere(), fields{"elements": need(list(1, 25, element(inActions()...)))}),
		"image": block("image", everywhere(), fields{
			"image_url": may(link), "slack_file": may(slackFile()), "alt_text": need(text(1, 2000)), "title": may(plainText(2000)),
		}, exactlyOne("image_url", "slack_file")),
		"input": block("input", everywhere(), fields{
			"label": need(plainText(2000)), "element": need(element(inInput()...)), "hint": may(plainText(2000)),
			"optional": may(flag), "dispatch_action": may(flag),
		}),
		"file": block("file", messagesOnly(), fields{"external_id": need(text(1, 255)), "source": need(oneOf("remote"))}),
		"video": block("video", everywhere(), fields{
			"title": need(plainText(200)), "title_url": may(link), "video_url": need(link), "thumbnail_url": need(link),
			"alt_text": need(text(1, 2000)), "description": may(plainText(many)), "author_name": may(text(1, 50)),
			"provider_name": may(text(1, many)), "provider_icon_url": may(link),
		}),
		"rich_text": {everywhere(), richText(fields{"block_id": may(text(1, 255))})},
		"markdown":  block("markdown", messagesOnly(), fields{"text": need(text(1, maxMarkdown))}),
	}
}

func contextElement() rule {
	texts := anyText(3000)
	return choice(map[string]rule{"image": picture(), "plain_text": texts, "mrkdwn": texts})
}

// agentBlocks are the blocks for AI agents.
func agentBlocks() map[string]kind {
	task := fields{
		"task_id": need(text(1, 255)), "title": need(text(1, many)),
		"status":  need(oneOf("pending", "in_progress", "complete", "error")),
		"details": may(richText(fields{"block_id": may(text(1, 255))})), "output": may(richText(fields{"block_id": may(text(1, 255))})),
		"sources":    may(list(1, many, typed("url", fields{"url": need(link), "text": need(text(1, many))}))),
		"hide_title": may(flag),
	}
	return map[string]kind{
		"context_actions": block("context_actions", messagesOnly(), fields{
			"elements": need(list(1, 5, element("feedback_buttons", "icon_button"))),
		}),
		"task_card": block("task_card", messagesOnly(), with(task, nil)),
		"plan": block("plan", messagesOnly(), fields{
			"title": need(text(1, many)),
			"tasks": may(list(1, many, typed("task_card", with(task, fields{"block_id": may(text(1, 255))})))),
		}),
	}
}
