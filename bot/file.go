package bot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/ticket"
	"github.com/missingkbs/missingkbs/internal/view"
	"github.com/missingkbs/missingkbs/internal/xlsx"
)

// A click on CSV or XLSX runs the command line of its page again, like any click. The result is written to memory and
// shared in the user's direct messages with the app: a file in a channel would be visible to everyone there.

const (
	maxFileRows  = 200_000
	maxFileBytes = 20 << 20
	maxFileName  = 80 // characters, without the extension

	// filesAtOnce bounds the memory for files: a workbook takes several times its size while it is written.
	filesAtOnce = 2
)

// fileSender sends a file to a user; *slackapi.Client does.
type fileSender interface {
	SendFile(ctx context.Context, user string, f slackapi.File) error
}

// fileFormat is a format in which tables are written.
type fileFormat struct {
	ending string // file extension; also the value of ask -o
	effect view.Effect
	write  func(io.Writer, view.Page) error
}

var fileFormats = map[blocks.ActionKind]fileFormat{
	blocks.CSV:  {"csv", view.CSVFile, view.WriteCSV},
	blocks.XLSX: {"xlsx", view.XLSXFile, xlsx.Write},
}

// isFile reports whether a click asks for a file.
func isFile(kind blocks.ActionKind) bool {
	_, ok := fileFormats[kind]
	return ok
}

// sendFile sends the tables of a page to the user as a file, and returns the page that says where it is. A page without
// a table, such as one that no longer finds anything, is returned as the answer.
func (b *Bot) sendFile(ctx context.Context, q question, page view.Page) (view.Page, error) {
	format := fileFormats[q.kind]
	rows, ok := tableRows(page)
	switch {
	case !ok:
		page.Note = strings.TrimSpace(page.Note + " There is no list, and so no file.")
		return page, nil
	case rows > maxFileRows:
		return view.Page{}, tooLarge(q, format, fmt.Sprintf("It has %s rows; a file takes %s at most.", view.Thousands(rows), view.Thousands(maxFileRows)))
	}
	select {
	case b.fileSlots <- struct{}{}:
		defer func() { <-b.fileSlots }()
	case <-ctx.Done():
		return view.Page{}, context.Cause(ctx)
	}
	body := &boundedBuffer{left: maxFileBytes}
	err := format.write(body, page)
	switch {
	case errors.Is(err, errFileFull):
		return view.Page{}, tooLarge(q, format, fmt.Sprintf("A file takes %d MB at most.", maxFileBytes>>20))
	case err != nil:
		return view.Page{}, fmt.Errorf("write a file: %w", err)
	}
	name := fileName(page.Title) + "." + format.ending
	progress := commands.ProgressOf(ctx)
	progress.Asking("Slack")
	err = b.files.SendFile(ctx, q.user, slackapi.File{Name: name, Title: view.OneLine(page.Title), Body: body.Bytes()})
	progress.Asking("")
	if err != nil {
		return view.Page{}, fileError(q, format, err)
	}
	sent := view.Page{Title: "The list is in our direct messages", Lead: fmt.Sprintf("%s, %s.", name, view.Count(rows, "row"))}
	return wayBack(q, sent), nil
}

// wayBack adds a button back to the list if its page was replaced.
func wayBack(q question, page view.Page) view.Page {
	if q.to.home {
		page.Actions = append([]view.Action{{Label: "Back to the list", Command: q.line, Effect: view.Replace}}, page.Actions...)
	}
	return page
}

// asText returns the list of a page as text. A page without a list is returned unchanged.
func asText(q question, page view.Page) view.Page {
	if _, ok := tableRows(page); !ok {
		return page
	}
	return wayBack(q, ticket.Page(page, q.line))
}

// tableRows returns how many rows the tables of a page have; ok is false if it has no table.
func tableRows(page view.Page) (rows int, ok bool) {
	for _, part := range page.Parts {
		if t, is := part.(view.Table); is {
			rows, ok = rows+t.FileLen(), true
		}
	}
	return rows, ok
}

// errFileFull is the error of a write beyond the bound of a file.
var errFileFull = errors.New("the file is too large")

// boundedBuffer is a buffer that takes no more than left bytes.
type boundedBuffer struct {
	bytes.Buffer
	left int
}

// Write implements [io.Writer].
func (b *boundedBuffer) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errFileFull
	}
	return b.Buffer.Write(p)
}

// fileName makes a file name from the title of a page: letters, digits and the punctuation of software ids.
func fileName(title string) string {
	var name strings.Builder
	gap := false
	for _, r := range strings.ToLower(view.OneLine(title)) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.", r) {
			gap = true
			continue
		}
		if gap && name.Len() > 0 {
			name.WriteByte('-')
		}
		gap = false
		name.WriteRune(r)
	}
	letters := []rune(strings.Trim(name.String(), "-."))
	if len(letters) == 0 {
		return "list"
	}
	return string(letters[:min(len(letters), maxFileName)])
}

// onTerminal returns the terminal command that writes the same file.
func (f fileFormat) onTerminal(q question) string {
	return fmt.Sprintf("missingkbs ask -o %s %s", f.ending, q.line)
}

func tooLarge(q question, f fileFormat, why string) error {
	return &commands.Error{
		Title:   "The list is too large for a file",
		Message: fmt.Sprintf("%s Ask for less, or write it on the machine that runs this bot: %s", why, f.onTerminal(q)),
	}
}

// Slack's codes for uploads that are refused.
// See https://docs.slack.dev/reference/methods/files.completeUploadExternal#errors.
var (
	mayNotUpload = []string{
		"missing_scope", "not_allowed_token_type", "no_permission", "access_denied", "method_not_supported_for_channel_type",
		"file_uploads_disabled", "file_upload_not_allowed", "restricted_action",
	}
	fileTooLarge  = []string{"file_upload_size_restricted", "file_too_large"}
	workspaceFull = []string{"storage_limit_reached", "over_file_storage_limit", "storage_full"}
)

// fileError explains why a file was not sent.
func fileError(q question, f fileFormat, err error) error {
	again := []view.Action{{Label: "Try again", Command: q.line, Effect: f.effect}}
	terminal := "The same file on the machine that runs this bot: " + f.onTerminal(q)
	switch {
	case slackapi.HasCode(err, mayNotUpload...):
		return &commands.Error{
			Title:   "The app may not upload files",
			Message: "An administrator of Slack can allow it: paste manifest.yaml, which asks for files:write and im:write, and install the app again. " + terminal,
			Actions: again, Err: err,
		}
	case slackapi.HasCode(err, fileTooLarge...):
		return &commands.Error{Title: "The list is too large for a file", Message: "This workspace takes no file of that size. " + terminal, Actions: again, Err: err}
	case slackapi.HasCode(err, workspaceFull...):
		return &commands.Error{Title: "The workspace takes no more files", Message: "Its storage is full. " + terminal, Actions: again, Err: err}
	case errors.Is(err, slackapi.ErrDeliveryUnknown):
		return &commands.Error{
			Title:   "The file may be missing",
			Message: "The connection to Slack broke while the file was shared. Look at our direct messages before you try again.",
			Actions: again, Err: err,
		}
	}
	return &commands.Error{Title: "Slack did not take the file", Message: "Nothing was sent. Try again in a moment. " + terminal, Actions: again, Err: err}
}
