package bot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/view"
	"github.com/missingkbs/missingkbs/internal/xlsx"
)

// fakeFiles takes files, or refuses them.
type fakeFiles struct {
	err error

	mu   sync.Mutex
	sent []string
	last slackapi.File
}

func (f *fakeFiles) SendFile(_ context.Context, user string, file slackapi.File) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent, f.last = append(f.sent, user+" "+file.Name), file
	return f.err
}

// listing answers with a table of so many rows.
func listing(rows int) answers {
	return func(_ context.Context, req commands.Request) (view.Page, error) {
		return view.Page{
			Title: "Missing updates: " + strings.Join(req.Words, " "),
			Parts: []view.Part{view.Table{
				Caption: "Updates", Columns: []view.Column{{Key: "kb", Title: "KB"}}, Page: 2,
				More: view.LazyRows{Count: rows, Make: func(i int) []view.Cell { return []view.Cell{view.TextCell(fmt.Sprint("=KB", i))} }},
			}},
		}, nil
	}
}

// A click on CSV or XLSX sends the whole table to the user, and the answer says where it is.
func TestFilesAreSentToTheUser(t *testing.T) {
	t.Parallel()
	for action, ending := range map[string]string{"csv:3": "csv", "xlsx:4": "xlsx"} {
		for _, rows := range []int{0, 1234} {
			t.Run(fmt.Sprint(ending, " ", rows), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					a, f := listing(rows), &fakeFiles{}
					b := start(t, a, Options{})
					b.bot.files = f
					b.events <- clicked(action, "microsoft-_-windows_11", nil)
					time.Sleep(time.Second)
					synctest.Wait()
					expect(t, b, "0s ack e1", "0s /r1 The list is in our direct messages")
					name := "missing-updates-microsoft-_-windows_11." + ending
					if diff := cmp.Diff([]string{"U1 " + name}, f.sent); diff != "" {
						t.Errorf("files (-want +got):\n%s", diff)
					}
					if got := b.log[1].Message; !strings.Contains(got.Text, name+", "+view.Count(rows, "row")) || got.Replace || got.Type != "ephemeral" {
						t.Errorf("answered %+v", got)
					}
					page, _ := a(t.Context(), commands.Request{Words: []string{"microsoft-_-windows_11"}})
					var want bytes.Buffer
					if err := map[string]func() error{
						"csv": func() error { return view.WriteCSV(&want, page) }, "xlsx": func() error { return xlsx.Write(&want, page) },
					}[ending](); err != nil {
						t.Fatal(err)
					}
					if ending == "csv" && !bytes.Equal(want.Bytes(), f.last.Body) || len(f.last.Body) == 0 {
						t.Errorf("the file has %d bytes, want %d", len(f.last.Body), want.Len())
					}
				})
			})
		}
	}
}

// What goes wrong is said in words, and nothing of the cause.
func TestFilesThatAreNotSent(t *testing.T) {
	t.Parallel()
	const secret = "https://files.slack.com/upload/v1/hunter2"
	line := "microsoft-_-windows_11"
	command := "missingkbs ask -o csv " + line
	for name, c := range map[string]struct {
		answer answers
		err    error
		says   []string
	}{
		"no scope":        {listing(1), slack.SlackErrorResponse{Err: "missing_scope"}, []string{"The app may not upload files", "files:write", command}},
		"token of a kind": {listing(1), slack.SlackErrorResponse{Err: "not_allowed_token_type"}, []string{"The app may not upload files", command}},
		"too large":       {listing(1), slack.SlackErrorResponse{Err: "file_upload_size_restricted"}, []string{"The list is too large for a file", command}},
		"full":            {listing(1), slack.SlackErrorResponse{Err: "storage_limit_reached"}, []string{"The workspace takes no more files", command}},
		"5xx":             {listing(1), slack.StatusCodeError{Code: 503, Status: secret}, []string{"Slack did not take the file", command}},
		"broken":          {listing(1), fmt.Errorf("%w: %w", slackapi.ErrDeliveryUnknown, errors.New(secret)), []string{"The file may be missing", "Look at our direct messages"}},
		"other":           {listing(1), errors.New(secret), []string{"Slack did not take the file"}},
		"many rows":       {listing(maxFileRows + 1), nil, []string{"The list is too large for a file", "200,001 rows", command}},
		"no table":        {echo, nil, []string{"answer to " + line, "There is no list, and so no file."}},
		"failure": {func(context.Context, commands.Request) (view.Page, error) {
			return view.Page{}, &commands.Error{Title: "Unknown software"}
		}, nil, []string{"Unknown software"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fakeFiles{err: c.err}
				b := start(t, c.answer, Options{})
				b.bot.files = f
				b.events <- clicked("csv:3", line, nil)
				time.Sleep(time.Minute)
				synctest.Wait()
				if len(b.log) != 2 {
					t.Fatalf("sent %q, want an acknowledgement and an answer", b.titles())
				}
				text := b.log[1].Message.Text
				for _, words := range c.says {
					if !strings.Contains(text, words) {
						t.Errorf("%q does not say %q", text, words)
					}
				}
				if strings.Contains(text, "hunter2") {
					t.Errorf("%q holds the address of an upload", text)
				}
				if c.err == nil && len(f.sent) > 0 {
					t.Errorf("sent %q", f.sent)
				}
			})
		})
	}
}

// A click on Copy as text answers the user alone with the whole list as text; on the Home tab it leads back.
func TestCopyAsText(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, listing(3), Options{})
		b.events <- clicked("text:3", "microsoft-_-windows_11", nil)
		time.Sleep(time.Second)
		synctest.Wait()
		expect(t, b, "0s ack e1", "0s /r1 As text: Missing updates: microsoft-_-windows_11")
		if got := b.log[1].Message; !strings.Contains(got.Text, "=KB2") || got.Replace || got.Type != "ephemeral" {
			t.Errorf("answered %+v", got)
		}
		none := asText(question{}, view.Page{Title: "Nothing found"})
		if none.Title != "Nothing found" {
			t.Errorf("a page without a list became %+v", none)
		}
		page, _ := listing(3)(t.Context(), commands.Request{})
		if got := asText(question{line: "edge", to: replyTo{home: true}}, page).Actions[0]; got.Label != "Back to the list" || got.Command != "edge" {
			t.Errorf("on the Home tab it begins with %+v", got)
		}
	})
}

// External people get no file, like no answer.
func TestFilesAskTheGate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeFiles{}
		b := start(t, listing(1), Options{})
		b.bot.files = f
		b.events <- clicked("csv:3", "edge", func(p map[string]any) { p["user"] = map[string]any{"id": "U9", "team_id": "T9"} })
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(f.sent) > 0 {
			t.Errorf("sent %q", f.sent)
		}
	})
}

// A click on the Home tab changes the tab, which leads back to the list.
func TestFilesFromTheHomeTab(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, screens := &fakeFiles{}, &fakeScreens{}
		b := start(t, listing(1), Options{})
		b.bot.files, b.bot.screens = f, screens
		b.events <- interaction(1, `{"type":"block_actions","trigger_id":"t","user":{"id":"U1","team_id":"T1"},"view":{"type":"home"},"container":{"type":"view"},
			"actions":[{"action_id":"csv:1","value":"search edge"}]}`)
		time.Sleep(time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]string{"U1 missing-updates-search-edge.csv"}, f.sent); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		if shown := string(screens.last); !strings.Contains(shown, "Back to the list") || !strings.Contains(shown, `"value":"search edge"`) {
			t.Errorf("the Home tab shows %s", shown)
		}
	})
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"Missing updates: microsoft-_-windows_11": "missing-updates-microsoft-_-windows_11",
		"KB5074202: 2026-09 Cumulative Update":    "kb5074202-2026-09-cumulative-update",
		"../../etc/passwd":                        "etc-passwd",
		"Software matching \"x\r\n\"":             "software-matching-x",
		"":                                        "list",
		"///":                                     "list",
		"Geräte mit " + strings.Repeat("ä", 100): "geräte-mit-" + strings.Repeat("ä", maxFileName-11),
		"a\u202eb": "a-b",
	} {
		if got := fileName(title); got != want {
			t.Errorf("%q: %q, want %q", title, got, want)
		}
	}
}

func TestBoundedBuffer(t *testing.T) {
	t.Parallel()
	b := &boundedBuffer{left: 3}
	if _, err := b.Write([]byte("abc")); err != nil {
		t.Error(err)
	}
	if _, err := b.Write([]byte("d")); !errors.Is(err, errFileFull) || b.String() != "abc" {
		t.Errorf("%q, %v", b.String(), err)
	}
}
