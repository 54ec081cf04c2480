package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

// Bounds of uploads: the sandbox keeps them in memory.
const (
	maxFileBytes = 8 << 20
	keepFiles    = 50
)

// upload is a file on its way in, or shared.
type upload struct {
	file     File
	title    string
	length   int // as announced
	body     []byte
	received bool
	complete bool
}

// files keeps what the app uploads; the oldest are dropped.
type files struct {
	mu   sync.Mutex
	made map[string]*upload // by upload secret
	byID map[string]*upload
	ids  []string // oldest first
}

func newFiles() *files {
	return &files{made: map[string]*upload{}, byID: map[string]*upload{}}
}

// announce makes room for a file and returns its upload secret.
func (f *files) announce(name string, length int) (secretPart string, file File) {
	id := protocol.ObjectID("F")
	u := &upload{file: File{ID: id, Name: name, Size: length, URL: "/ui/files/" + id}, length: length}
	key := protocol.RandomHex(24)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.made[key], f.byID[id] = u, u
	f.ids = append(f.ids, id)
	if len(f.ids) > keepFiles {
		old := f.byID[f.ids[0]]
		delete(f.byID, f.ids[0])
		f.ids = slices.Delete(f.ids, 0, 1)
		for key, u := range f.made {
			if u == old {
				delete(f.made, key)
			}
		}
	}
	return key, u.file
}

// receive takes the bytes for an upload secret.
func (f *files) receive(key string, body []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.made[key]
	switch {
	case u == nil || u.received:
		return fmt.Errorf("no such upload")
	case len(body) != u.length:
		return fmt.Errorf("%d bytes announced, %d received", u.length, len(body))
	}
	u.body, u.received = body, true
	return nil
}

// get returns a shared file and its bytes.
func (f *files) get(id string) (File, []byte, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.byID[id]
	if u == nil || !u.complete {
		return File{}, nil, false
	}
	return u.file, u.body, true
}

// complete marks uploads as shared.
func (f *files) complete(wanted []fileArgument) ([]File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []File
	for _, one := range wanted {
		u := f.byID[one.ID]
		if u == nil || !u.received || u.complete {
			return nil, protocol.Refuse("file_not_found")
		}
	}
	for _, one := range wanted {
		u := f.byID[one.ID]
		u.complete, u.title = true, one.Title
		out = append(out, u.file)
	}
	return out, nil
}

type fileArgument struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

func (w *Workspace) filesGetUploadURL(a protocol.Args) (object, error) {
	length, err := strconv.Atoi(a["length"])
	switch {
	case a["filename"] == "":
		return nil, protocol.Missing("filename")
	case err != nil || length <= 0:
		return nil, protocol.Missing("length")
	case length > maxFileBytes:
		return nil, protocol.Refuse("file_upload_size_restricted")
	}
	key, file := w.files.announce(a["filename"], length)
	return object{"upload_url": w.URL() + "/upload/v1/" + w.issued.Add(key), "file_id": file.ID}, nil
}

// serveUpload takes a file's bytes, raw or as a form.
func (w *Workspace) serveUpload(rw http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(rw, r.Body, maxFileBytes+64<<10)
	body, err := fileBody(r)
	if err == nil {
		err = w.files.receive(r.PathValue("key"), body)
	}
	if err != nil {
		w.trace.Fail("upload", "refused: "+err.Error(), nil)
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	w.trace.Add(trace.WebAPI, "upload", 0, object{"bytes": len(body)})
	_, _ = fmt.Fprintf(rw, "OK - %d", len(body))
}

func fileBody(r *http.Request) ([]byte, error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "multipart/form-data" {
		return io.ReadAll(r.Body)
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, err
	}
	for {
		part, err := parts.NextPart()
		if err != nil {
			return nil, fmt.Errorf("no file in the form: %w", err)
		}
		if part.FileName() != "" {
			return io.ReadAll(part)
		}
	}
}

func (w *Workspace) filesComplete(a protocol.Args) (object, error) {
	var wanted []fileArgument
	if json.Unmarshal([]byte(a["files"]), &wanted) != nil || len(wanted) == 0 {
		return nil, protocol.Missing("files")
	}
	places := a.List("channels")
	if id := a["channel_id"]; id != "" {
		places = []string{id}
	}
	var rooms []channel
	for _, place := range places {
		c, err := w.writable(place)
		if err != nil {
			return nil, err
		}
		rooms = append(rooms, c)
	}
	say := content{Text: a["initial_comment"], Blocks: a.Raw("blocks")}
	if !say.empty() {
		if err := w.checkContent(say); err != nil {
			return nil, err
		}
	}
	shared, err := w.files.complete(wanted)
	if err != nil {
		return nil, err
	}
	if err := w.shareFiles(rooms, say, shared, a["thread_ts"]); err != nil {
		return nil, err
	}
	return object{"files": fileObjects(wanted, shared)}, nil
}

func (w *Workspace) shareFiles(rooms []channel, say content, shared []File, threadTS string) error {
	for _, c := range rooms {
		thread, err := w.thread(c.ID, threadTS)
		if err != nil {
			return err
		}
		m := Message{Channel: c.ID, User: BotUser, Kind: KindApp, ThreadTS: thread, Files: shared}
		say.into(&m)
		w.rooms.post(m)
	}
	return nil
}

func fileObjects(wanted []fileArgument, shared []File) []object {
	var out []object
	for i, f := range shared {
		title := wanted[i].Title
		if title == "" {
			title = f.Name
		}
		out = append(out, object{"id": f.ID, "title": title, "name": f.Name, "size": f.Size})
	}
	return out
}

// File returns the name and bytes of a file that the app has shared.
func (w *Workspace) File(id string) (name string, body []byte, ok bool) {
	f, body, ok := w.files.get(id)
	return f.Name, body, ok
}

// serveFile lets the page download a shared file. It is never shown as a page: its
// bytes come from the app.
func (w *Workspace) serveFile(rw http.ResponseWriter, r *http.Request) {
	f, body, ok := w.files.get(r.PathValue("id"))
	if !ok {
		http.NotFound(rw, r)
		return
	}
	name := strings.Map(func(c rune) rune {
		if c < ' ' || c == '"' || c == '\\' {
			return '_'
		}
		return c
	}, f.Name)
	rw.Header().Set("Content-Type", "application/octet-stream")
	rw.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	_, _ = rw.Write(body)
}
