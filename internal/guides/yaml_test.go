package guides

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/internal/config"
)

// A configuration on a page is one that the program reads.
func TestConfigBlocks(t *testing.T) {
	n := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.info == "yaml" && strings.HasPrefix(b.text, "version: 1\n") {
				n++
				if _, err := config.Parse(p.path, []byte(b.text)); err != nil {
					t.Errorf("%s:%d: %v", p.path, b.line, err)
				}
			}
		}
	}
	if n == 0 {
		t.Error("no configuration was found")
	}
}

// A step that uses the action gives inputs that it has.
func TestActionInputs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	_, inputs, _ := strings.Cut(string(text), "\ninputs:\n")
	inputs, _, _ = strings.Cut(inputs, "\noutputs:\n")
	key := regexp.MustCompile(`(?m)^ *([a-z-]+):`)
	known := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z-]+):$`).FindAllStringSubmatch(inputs, -1) {
		known[m[1]] = true
	}
	step := regexp.MustCompile(`uses: mailcheck-go/mailcheck@\S+\n +with:\n((?: {10}.*\n)+)`)
	n := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			for _, m := range step.FindAllStringSubmatch(b.text, -1) {
				for line := range strings.Lines(m[1]) {
					if k := key.FindStringSubmatch(line); k != nil && strings.HasPrefix(line, strings.Repeat(" ", 10)+k[1]) {
						n++
						if !known[k[1]] {
							t.Errorf("%s:%d: the action has no input %q", p.path, b.line, k[1])
						}
					}
				}
			}
		}
	}
	if n == 0 {
		t.Error("no step was found")
	}
}
