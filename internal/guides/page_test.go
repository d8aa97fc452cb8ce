package guides

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// page is a text with its parts.
type page struct {
	path     string // from the root of the project
	text     string
	blocks   []block
	spans    []span // code between backquotes, outside of blocks
	links    []span // targets
	headings []string
	runs     []run // in order; the last one before a block belongs to it
}

type block struct {
	line int // of the fence
	info string
	text string
}

type span struct {
	line int
	text string
}

type run struct {
	line    int
	command string
	status  int
	want    *block // nil: run for its effect
}

var (
	runComment = regexp.MustCompile(`^<!-- run(?:\((\d+)\))?: (.*) -->$`)
	codeSpan   = regexp.MustCompile("`([^`]+)`")
	link       = regexp.MustCompile(`\]\(([^()\s]+)\)`)
)

// pages reads all that is checked. Those with a star may be missing.
func pages(t *testing.T) []*page {
	t.Helper()
	var out []*page
	for _, pattern := range []string{"README.md", "docs/README.md", "docs/guide/*.md", "*SECURITY.md", "*CONTRIBUTING.md", "*contrib/*.md", "*contrib/*/*.md", "*examples/*.md", "*examples/*/*.md"} {
		pattern, optional := strings.CutPrefix(pattern, "*")
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 && !optional {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			rel, err := filepath.Rel(root, f)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, parsePage(filepath.ToSlash(rel), string(text)))
		}
	}
	return out
}

func parsePage(path, text string) *page {
	p := &page{path: path, text: text}
	var open *block
	fence := ""
	prose := make([]string, 0, strings.Count(text, "\n")+1) // a line each, blank for those in blocks
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case open != nil && trimmed == fence:
			p.blocks = append(p.blocks, *open)
			if n := len(p.runs); n > 0 && p.runs[n-1].line == open.line-1 {
				p.runs[n-1].want = open
			}
			open = nil
		case open != nil:
			open.text += line + "\n"
		case strings.HasPrefix(trimmed, "```"):
			fence = "```"
			open = &block{line: i + 1, info: strings.TrimLeft(trimmed, "`")}
		default:
			if m := runComment.FindStringSubmatch(trimmed); m != nil {
				status, _ := strconv.Atoi("0" + m[1])
				p.runs = append(p.runs, run{line: i + 1, command: m[2], status: status})
			} else if h := strings.TrimLeft(line, "#"); strings.HasPrefix(line, "#") && strings.HasPrefix(h, " ") {
				p.headings = append(p.headings, strings.TrimSpace(h))
			}
			prose = append(prose, line)
			continue
		}
		prose = append(prose, "")
	}
	p.findSpans(strings.Join(prose, "\n"))
	return p
}

// findSpans takes code and links from the text between the blocks. Code may go over
// the end of a line, but not of a paragraph.
func (p *page) findSpans(prose string) {
	line := 1
	for _, par := range strings.SplitAfter(prose, "\n\n") {
		at := func(offset int) int { return line + strings.Count(par[:offset], "\n") }
		for _, m := range codeSpan.FindAllStringSubmatchIndex(par, -1) {
			p.spans = append(p.spans, span{at(m[0]), strings.Join(strings.Fields(par[m[2]:m[3]]), " ")})
		}
		for _, m := range link.FindAllStringSubmatchIndex(par, -1) {
			p.links = append(p.links, span{at(m[0]), par[m[2]:m[3]]})
		}
		line += strings.Count(par, "\n")
	}
}

func TestParsePage(t *testing.T) {
	p := parsePage("x.md", "# One\n\nSee `mailcheck\naudit x` and [a](b.md#c).\n\n<!-- run: mailcheck rules -->\n<!-- run(2): mailcheck rules spf -->\n```text\nout\n```\n\n```sh\nmailcheck lab\n```\n")
	if len(p.blocks) != 2 || p.blocks[1].info != "sh" || p.blocks[1].text != "mailcheck lab\n" {
		t.Errorf("blocks: %+v", p.blocks)
	}
	if len(p.runs) != 2 || p.runs[0].want != nil || p.runs[1].status != 2 || p.runs[1].want == nil || p.runs[1].want.text != "out\n" {
		t.Errorf("runs: %+v", p.runs)
	}
	if len(p.spans) != 1 || p.spans[0].text != "mailcheck audit x" || p.spans[0].line != 3 {
		t.Errorf("spans: %+v", p.spans)
	}
	if len(p.links) != 1 || p.links[0].text != "b.md#c" || len(p.headings) != 1 {
		t.Errorf("links: %+v, headings: %q", p.links, p.headings)
	}
}
