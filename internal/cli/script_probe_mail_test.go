package cli

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestProbeMailScripts tries the commands that send and receive probes as a user
// types them.
func TestProbeMailScripts(t *testing.T) {
	root := NewRoot(Streams{})
	if cmd, _, err := root.Find([]string{"probe", "send"}); err != nil || cmd.Name() != "send" {
		t.Fatal("probe send is not a command of this program")
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script_probe_mail",
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "1")
			prepareSchemas(e)
			e.Setenv("HOME", e.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "serve": serve, "clean": clean},
	})
}
