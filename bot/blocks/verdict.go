package blocks

import (
	"github.com/slack-go/slack"
)

// Verdict is Slack's answer to blocks. It has no words if Slack accepted them.
type Verdict struct {
	Unsupported []Feature // newer blocks that Slack does not support
	Faults      []string  // what is wrong with the blocks, in Slack's words
	Words       []string  // everything that Slack said
}

// Judge reads an error of the Web API about the blocks that were sent. It returns false for any other error.
func Judge(err error, sent []slack.Block) (v Verdict, ok bool) {
	r, ok := judge(err, sent)
	return r.verdict(), ok
}

// JudgeWords reads an error code and messages of Slack about the blocks that were sent.
func JudgeWords(code string, words []string, sent []slack.Block) Verdict {
	return judgeWords(code, false, words, sent).verdict()
}

func (r blockRefusal) verdict() Verdict {
	v := Verdict{Unsupported: r.unsupported, Faults: r.faults, Words: r.words}
	if len(v.Words) == 0 && r.code != "" {
		v.Words = []string{r.code}
	}
	return v
}
