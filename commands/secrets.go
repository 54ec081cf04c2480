package commands

import (
	"slices"

	"github.com/missingkbs/missingkbs/internal/redact"
	"github.com/missingkbs/missingkbs/internal/view"
)

// presentable puts the title of a page on one line and hides what looks like a secret in its sentences and labels,
// which may repeat what was typed. Cells of tables hold Defender's data and command lines must keep working, so both
// stay.
func presentable(p view.Page) view.Page {
	for _, text := range []*string{&p.Title, &p.Lead, &p.Context, &p.Note} {
		*text = redact.String(*text)
	}
	p.Title = view.OneLine(p.Title)
	for i, a := range p.Actions {
		if label := redact.String(a.Label); label != a.Label {
			p.Actions = slices.Clone(p.Actions)
			p.Actions[i].Label = label
		}
	}
	for i, part := range p.Parts {
		if clean, changed := partWithoutSecrets(part); changed {
			p.Parts = slices.Clone(p.Parts)
			p.Parts[i] = clean
		}
	}
	return p
}

// partWithoutSecrets copies a part only if something in it has to be hidden.
func partWithoutSecrets(part view.Part) (clean view.Part, changed bool) {
	switch part := part.(type) {
	case view.Facts:
		for i, f := range part {
			if value := redact.String(f.Value); value != f.Value {
				if !changed {
					part, changed = slices.Clone(part), true
				}
				part[i].Value = value
			}
		}
		return part, changed
	case view.List:
		for i, item := range part.Items {
			if text := redact.String(item); text != item {
				if !changed {
					part.Items, changed = slices.Clone(part.Items), true
				}
				part.Items[i] = text
			}
		}
		return part, changed
	case view.Table:
		caption := redact.String(part.Caption)
		changed = caption != part.Caption
		part.Caption = caption
		return part, changed
	}
	return part, false
}
