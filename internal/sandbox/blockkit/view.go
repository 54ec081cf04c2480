package blockkit

// view checks a modal or Home tab: https://docs.slack.dev/reference/views
func (c *checker) view(v any) {
	o, ok := v.(map[string]any)
	if !ok {
		c.fault("", "must provide an object")
		return
	}
	blocks := func(c *checker, at string, v any) { c.blocks(at, v) }
	common := fields{
		"blocks": need(blocks), "private_metadata": may(text(0, 3000)), "callback_id": may(text(0, 255)), "external_id": may(text(0, 255)),
	}
	switch o["type"] {
	case "modal":
		c.surface = Modal
		typed("modal", with(common, fields{
			"title": need(plainText(24)), "submit": may(orNull(plainText(24))), "close": may(orNull(plainText(24))),
			"clear_on_close": may(flag), "notify_on_close": may(flag), "submit_disabled": may(flag),
		}), submitForInputs)(c, "", v)
	case "home":
		c.surface = Home
		typed("home", common)(c, "", v)
	case nil:
		c.fault("", "missing required field: type")
	default:
		c.fault("/type", "must be a valid enum value")
	}
}

func submitForInputs(c *checker, at string, o map[string]any) {
	if o["submit"] != nil {
		return
	}
	for _, b := range objects(o["blocks"]) {
		if b["type"] == "input" {
			c.fault(at, "missing required field: submit, because a block is an input")
			return
		}
	}
}
