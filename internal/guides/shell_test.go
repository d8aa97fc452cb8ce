package guides

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// commands splits shell text into simple commands, each as its words. Redirections
// and comments are left out. It knows as much of the shell as the pages use.
func commands(text string) [][]string {
	text = strings.ReplaceAll(text, "\\\n", " ")
	text = regexp.MustCompile(`(\||&&)[ \t]*\n`).ReplaceAllString(text, "$1 ")
	var out [][]string
	var words []string
	var word strings.Builder
	inWord, skip := false, false // skip: the next word is the file of a redirection
	endWord := func() {
		if inWord && !skip {
			words = append(words, word.String())
		}
		if inWord {
			skip = false
		}
		word.Reset()
		inWord = false
	}
	endCommand := func() {
		endWord()
		if len(words) > 0 {
			out = append(out, words)
		}
		words, skip = nil, false
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\'' || c == '"':
			end := strings.IndexByte(text[i+1:], c)
			if end < 0 { // an apostrophe in prose
				word.WriteByte(c)
				inWord = true
				continue
			}
			word.WriteString(text[i+1 : i+1+end])
			inWord = true
			i += end + 1
		case c == '\\' && i+1 < len(text):
			i++
			word.WriteByte(text[i])
			inWord = true
		case c == '#' && !inWord:
			for i+1 < len(text) && text[i+1] != '\n' {
				i++
			}
		case c == ' ' || c == '\t':
			endWord()
		case c == '\n' || c == ';' || c == '|' || c == '&' || c == '(' || c == ')':
			endCommand()
		case c == '>' || c == '<':
			if d := word.String(); d != "1" && d != "2" {
				endWord()
			}
			word.Reset()
			inWord, skip = false, true
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	endCommand()
	return out
}

// before are the words that may stand in front of the program: times of cron, an
// account, variables, and what begins a line of a unit file, of YAML or a Dockerfile.
var before = regexp.MustCompile(`^([0-9*/,-]+|[A-Za-z_]+=\S*|\$|-|run:|script:|then|sudo|root|mailcheck|dmarc:|"?\|?exec|RUN|CMD|ENTRYPOINT)$`)

// calls returns the arguments of each call of mailcheck.
func calls(text string) [][]string {
	var out [][]string
	for _, words := range commands(text) {
		at := slices.IndexFunc(words, isProgram)
		if at < 0 || slices.ContainsFunc(words[:at], func(w string) bool { return !before.MatchString(w) }) {
			continue
		}
		// A unit of systemd may call the account as the program; the last name counts.
		if len(words) > at+1 && isProgram(words[at+1]) {
			at++
		}
		if len(words) > at+1 && strings.Contains(words[at+1], "=") && !strings.HasPrefix(words[at+1], "-") {
			continue // the account in a line of cron, and out=$(…), which comes on its own
		}
		args := slices.DeleteFunc(slices.Clone(words[at+1:]), func(w string) bool { return w == "…" || w == "..." })
		out = append(out, args)
	}
	return out
}

func isProgram(word string) bool {
	for _, key := range []string{"ExecStart=", "ExecStartPre=", "ExecStartPost=", "ExecCondition="} {
		word = strings.TrimPrefix(word, key)
	}
	return !strings.Contains(word, "=") && path.Base(strings.TrimLeft(word, "-@+!:")) == "mailcheck"
}

func TestCalls(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"mailcheck audit example.org   # a comment", []string{"audit example.org"}},
		{"$ mailcheck diagnose '550 a; b'", []string{"diagnose 550 a; b"}},
		{"journalctl -u x | mailcheck diagnose - --log", []string{"diagnose - --log"}},
		{"mailcheck reports evidence |\n  mailcheck spf narrow --evidence - > out 2>&1", []string{"reports evidence", "spf narrow --evidence -"}},
		{"mailcheck fix plan \\\n  --ip 192.0.2.1", []string{"fix plan --ip 192.0.2.1"}},
		{"0 6 * * * mailcheck mailcheck lab || mail -s x", []string{"lab"}},
		{"7 * * * * mailcheck out=$(mailcheck lab 2>&1) || echo $out", []string{"lab"}},
		{"ExecStart=/usr/bin/mailcheck audit --quiet %i", []string{"audit --quiet %i"}},
		{"      - run: mailcheck version", []string{"version"}},
		{"A=b mailcheck lab\n", []string{"lab"}},
		{"Environment=HOME=/var/lib/mailcheck X=/var", nil},
		{"install -m 0755 mailcheck /usr/local/bin", nil},
		{"mailcheck-libdns cloudflare --help", nil},
	} {
		var got []string
		for _, args := range calls(c.in) {
			got = append(got, strings.Join(args, " "))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}
