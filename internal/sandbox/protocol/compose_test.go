package protocol

import "testing"

func TestCompose(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"edge & <chrome>":   "edge &amp; &lt;chrome&gt;",
		"<@U0BOT0001> edge": "<@U0BOT0001> edge",
		"see https://catalog.update.microsoft.com/Search.aspx?a=1&q=KB5074202.": "see <https://catalog.update.microsoft.com/Search.aspx?a=1&amp;q=KB5074202>.",
		"<https://example.com/?a&b>":              "<https://example.com/?a&amp;b>",
		"<!channel> look in <#C0GENERAL|general>": "<!channel> look in <#C0GENERAL|general>",
		"": "",
	} {
		if got, _ := Compose(typed); got != want {
			t.Errorf("%q becomes %q, want %q", typed, got, want)
		}
	}
}
