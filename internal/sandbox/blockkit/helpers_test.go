package blockkit

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
)

// Short words for JSON in the tables.
type (
	o = map[string]any
	l = []any
)

func plain(n int) o     { return o{"type": "plain_text", "text": strings.Repeat("å", n)} }
func mrkdwn(n int) o    { return o{"type": "mrkdwn", "text": strings.Repeat("å", n)} }
func long(n int) string { return strings.Repeat("å", n) }

func address(n int) string {
	return "https://example.com/" + strings.Repeat("a", n-len("https://example.com/"))
}

// n repeats a made value.
func n(count int, made func(i int) any) l {
	out := make(l, count)
	for i := range out {
		out[i] = made(i)
	}
	return out
}

// same repeats a value that does not depend on its place.
func same(count int, v any) l { return n(count, func(int) any { return v }) }

// plus returns a with the entries of b.
func plus(a, b o) o {
	out := o{}
	for _, from := range []o{a, b} {
		maps.Copy(out, from)
	}
	return out
}

func button(more o) o {
	return plus(o{"type": "button", "text": plain(1)}, more)
}
func actions(elements ...any) o { return o{"type": "actions", "elements": elements} }
func section(more o) o          { return plus(o{"type": "section", "text": mrkdwn(1)}, more) }
func input(element o) o         { return o{"type": "input", "label": plain(1), "element": element} }
func choiceOf(value int) o      { return o{"text": plain(1), "value": long(value)} }
func cell(n int) o              { return o{"type": "raw_text", "text": long(n)} }
func table(rows l) o            { return o{"type": "table", "rows": rows} }
func dataTable(rows l, more o) o {
	return plus(o{"type": "data_table", "caption": "c", "rows": rows}, more)
}
func chart(c o) o      { return o{"type": "data_visualization", "title": "t", "chart": c} }
func markdown(n int) o { return o{"type": "markdown", "text": long(n)} }
func sure(more o) o {
	return plus(o{"title": plain(1), "text": plain(1), "confirm": plain(1), "deny": plain(1)}, more)
}

func menu(kind string, more o) o { return plus(o{"type": kind}, more) }

func options(count int) l { return n(count, func(int) any { return choiceOf(1) }) }

// bars is a bar chart with that many series and points.
func bars(series, points int) o {
	labels := n(points, func(i int) any { return fmt.Sprint("p", i) })
	return o{
		"type": "bar", "axis_config": o{"categories": labels},
		"series": n(series, func(i int) any {
			return o{"name": fmt.Sprint("s", i), "data": n(points, func(j int) any { return o{"label": labels[j], "value": -1} })}
		}),
	}
}

func rows(count, columns int) l { return n(count, func(int) any { return same(columns, cell(1)) }) }

func container(more o) o {
	return plus(o{"type": "container", "title": plain(1), "child_blocks": l{o{"type": "divider"}}}, more)
}

func layout(more o) o {
	return plus(o{"type": "layout", "label": "x", "rows": l{o{"items": l{o{"block": o{"type": "divider"}}}}}}, more)
}

func items(count int) l { return l{o{"items": same(count, o{"block": o{"type": "divider"}})}} }

func aCard(more o) o { return plus(o{"type": "card", "title": plain(1)}, more) }

func video(more o) o {
	return plus(o{"type": "video", "title": plain(1), "video_url": address(40), "thumbnail_url": address(40), "alt_text": "a"}, more)
}

func encoded(t *testing.T, v any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// feedback makes feedback buttons with one field of the second.
func feedback(name string, value func(n int) any) func(int) l {
	return func(n int) l {
		good := o{"text": plain(1), "value": "v"}
		buttons := o{"type": "feedback_buttons", "positive_button": good, "negative_button": plus(good, o{name: value(n)})}
		return l{o{"type": "context_actions", "elements": l{buttons}}}
	}
}

// trash makes an icon button with one field.
func trash(name string, value func(n int) any) func(int) l {
	return func(n int) l {
		button := plus(o{"type": "icon_button", "icon": "trash", "text": plain(1)}, o{name: value(n)})
		return l{o{"type": "context_actions", "elements": l{button}}}
	}
}
