package blockkit

// Blocks around blocks, and those that came with them:
// https://docs.slack.dev/reference/block-kit/blocks

const maxNesting = 2 // containers and layouts inside each other

func nestedBlocks() map[string]kind {
	return map[string]kind{
		"alert": block("alert", []string{Modal}, fields{
			"text": need(anyText(200)), "level": may(oneOf("default", "info", "warning", "error", "success")),
		}),
		"card":     {everywhere(), card()},
		"carousel": block("carousel", messagesAndHome(), fields{"elements": need(list(1, 10, choice(map[string]rule{"card": card()})))}),
		"container": block("container", messagesAndHome(), fields{
			"title": may(plainText(150)), "rich_text_title": may(richText(fields{"block_id": may(text(1, 255))})),
			"subtitle": may(anyText(150)), "icon": may(picture()), "width": may(oneOf("narrow", "standard", "wide", "full")),
			"is_collapsible": may(flag), "default_collapsed": may(flag), "has_header_divider": may(flag),
			"child_blocks": need(list(1, 10, inside(containerChildren()))),
		}, someOf("title", "rich_text_title"), collapsing),
		"layout": block("layout", everywhere(), fields{
			"label": need(text(1, 150)), "is_label_visible": may(flag), "grid_lines": may(oneOf("none", "rows", "outer")),
			"rows":     need(list(1, 5, object(fields{"items": need(list(1, 3, layoutItem()))}))),
			"fallback": may(list(0, maxMessageBlocks, fallbackBlock)),
		}),
	}
}

func card() rule {
	return typed("card", fields{
		"block_id": may(text(1, 255)), "hero_image": may(picture()), "icon": may(picture()),
		"slack_icon": may(typed("icon", fields{"name": need(text(1, 255))})),
		"title":      may(anyText(150)), "subtitle": may(anyText(150)), "body": may(anyText(200)), "subtext": may(anyText(200)),
		"actions": may(list(1, 3, element("button"))),
	}, someOf("hero_image", "title", "actions", "body"), notBoth("icon", "slack_icon"))
}

func collapsing(c *checker, at string, o map[string]any) {
	folds := o["is_collapsible"] == true
	if o["has_header_divider"] == true && folds {
		c.fault(at+"/has_header_divider", "is only for containers that are not collapsible")
	}
	if o["default_collapsed"] == true && !folds {
		c.fault(at+"/default_collapsed", "requires is_collapsible")
	}
}

func containerChildren() []string {
	return []string{"actions", "context", "divider", "file", "header", "image", "input", "layout", "rich_text", "section", "table", "video"}
}

func layoutChildren() []string {
	return []string{
		"actions", "alert", "card", "carousel", "container", "context", "data_table", "data_visualization", "divider", "file",
		"header", "image", "input", "rich_text", "section", "table", "video",
	}
}

// inside checks a block inside another one.
func inside(allowed []string) rule {
	return func(c *checker, at string, v any) {
		c.nesting++
		defer func() { c.nesting-- }()
		if o, ok := v.(map[string]any); ok && (o["type"] == "container" || o["type"] == "layout") && c.nesting >= maxNesting {
			c.fault(at, "containers and layouts nest at most %d deep", maxNesting)
			return
		}
		c.block(at, v, allowed)
	}
}

func layoutItem() rule {
	return object(fields{
		"block": need(inside(layoutChildren())), "width": may(oneOf("narrow", "standard", "wide")),
		"horizontal_alignment": may(oneOf("start", "center", "end")),
	})
}

// fallbackBlock replaces a layout where that is unsupported, so it does not count for the totals.
func fallbackBlock(c *checker, at string, v any) {
	kept := c.totals
	c.block(at, v, nil)
	c.totals = kept
}
